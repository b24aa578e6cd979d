import AdapterKit
import AngelAdapter
import Testing

@Suite struct AngelMasterTests {
    private func parse(_ text: String) throws(AdapterError) -> (rows: [MasterRow], skipped: Int) {
        try MasterRows.rows(of: Angel.registration.masters[0], in: Array(text.utf8))
    }

    private func record(
        _ token: String, _ symbol: String, _ name: String, type: String = "", segment: String, expiry: String = "",
        strike: String = "-1.000000", lot: String = "1", tick: String = "5.000000"
    ) -> String {
        #"{"token":"\#(token)","symbol":"\#(symbol)","name":"\#(name)","expiry":"\#(expiry)","strike":"\#(strike)","lotsize":"\#(lot)","instrumenttype":"\#(type)","exch_seg":"\#(segment)","tick_size":"\#(tick)"}"#
    }

    private func row(_ record: String) throws -> MasterRow {
        try #require(try parse("[\(record)]").rows.first)
    }

    @Test func isNamedAsTheBrokerNamesIt() {
        #expect(Angel.registration.masters.map(\.name) == ["OpenAPIScripMaster.json"])
        let setting = Angel.descriptor.configKeys.first { $0.name == "master_endpoint" }
        #expect(
            setting?.defaultValue
                == "https://margincalculator.angelbroking.com/OpenAPI_File/files/OpenAPIScripMaster.json")
    }

    @Test func readsAShare() throws {
        let row = try row(record("2885", "RELIANCE-EQ", "RELIANCE", segment: "NSE"))
        #expect((row.symbol, row.exchange, row.type) == ("RELIANCE", "NSE", "EQ"))
        #expect((row.brokerSymbol, row.brokerExchange, row.brokerToken) == ("RELIANCE-EQ", "NSE", "2885"))
        #expect((row.name, row.expiry, row.strike, row.lotSize) == ("RELIANCE", nil, 0, 1))
        #expect((row.tickSize, row.priceExponent) == (500, -4))  // 0.05
    }

    @Test(arguments: [
        ("SBIN-EQ", "SBIN"), ("ABC-BE", "ABC"), ("FUND-MF", "FUND"), ("760GS2035-SG", "760GS2035"),
        ("BAJAJ-AUTO-EQ", "BAJAJ-AUTO"), ("X-EQUITY", "X-EQUITY"), ("ABC-BL", "ABC-BL"), ("M&M-EQ", "M&M"),
        ("-EQ", "-EQ"),
    ])
    func takesOffTheSeries(symbol: String, expected: String) throws {
        #expect(try row(record("1", symbol, "N", segment: "NSE")).symbol == expected)
    }

    @Test(arguments: [
        ("Nifty 50", "NIFTY", "NSE", "NIFTY", "NSE_INDEX"),
        ("Nifty Bank", "BANKNIFTY", "NSE", "BANKNIFTY", "NSE_INDEX"),
        ("Nifty Next 50", "NIFTY NEXT 50", "NSE", "NIFTYNXT50", "NSE_INDEX"),
        ("Nifty Fin Service", "NIFTY FIN SERVICE", "NSE", "FINNIFTY", "NSE_INDEX"),
        ("NIFTY MID SELECT", "NIFTY MID SELECT", "NSE", "MIDCPNIFTY", "NSE_INDEX"),
        ("India VIX", "INDIA VIX", "NSE", "INDIAVIX", "NSE_INDEX"),
        ("Nifty IT", "NIFTY IT", "NSE", "NIFTYIT", "NSE_INDEX"), ("SENSEX", "SENSEX", "BSE", "SENSEX", "BSE_INDEX"),
        ("SNSX50", "SNSX50", "BSE", "SENSEX50", "BSE_INDEX"),
        ("MCXBULLDEX", "MCXBULLDEX", "MCX", "MCXBULLDEX", "MCX_INDEX"),
    ])
    func namesIndices(symbol: String, name: String, segment: String, expected: String, exchange: String) throws {
        let row = try row(
            record("99926000", symbol, name, type: "AMXIDX", segment: segment, strike: "0.000000", tick: "0.000000"))
        #expect((row.symbol, row.exchange, row.type) == (expected, exchange, "INDEX"))
        #expect((row.brokerSymbol, row.brokerExchange) == (symbol, segment))
        #expect(row.tickSize == 0)
    }

    @Test(arguments: [
        ("NIFTY28MAR24FUT", "NIFTY", "FUTIDX", "NFO", "NIFTY28MAR24FUT"),
        ("SENSEX24MARFUT", "SENSEX", "FUTIDX", "BFO", "SENSEX28MAR24FUT"),
        ("USDINR24MARFUT", "USDINR", "FUTCUR", "CDS", "USDINR28MAR24FUT"),
        ("782GS203324MARFUT", "782GS2033", "FUTIRC", "CDS", "782GS203328MAR24FUT"),
        ("CRUDEOIL24MARFUT", "CRUDEOIL", "FUTCOM", "MCX", "CRUDEOIL28MAR24FUT"),
        ("GUARSEED10", "GUARSEED10", "FUTCOM", "NCDEX", "GUARSEED1028MAR24FUT"),
    ])
    func namesFutures(symbol: String, name: String, type: String, segment: String, expected: String) throws {
        let row = try row(record("35", symbol, name, type: type, segment: segment, expiry: "28MAR2024", lot: "50"))
        #expect((row.symbol, row.exchange, row.type, row.lotSize) == (expected, segment, "FUT", 50))
        #expect(row.expiry == CalendarDay(year: 2024, month: 3, day: 28))
        #expect((row.strike, row.brokerSymbol) == (0, symbol))
    }

    @Test(arguments: [
        (
            "NIFTY28MAR2420800CE", "NIFTY", "OPTIDX", "NFO", "2080000.000000", "NIFTY28MAR2420800CE",
            208_000_000 as Int64
        ),
        ("VEDL28MAR24282.5PE", "VEDL", "OPTSTK", "NFO", "28250.000000", "VEDL28MAR24282.5PE", 2_825_000),
        ("SENSEX24MAR75000PE", "SENSEX", "OPTIDX", "BFO", "7500000.000000", "SENSEX28MAR2475000PE", 750_000_000),
        ("CRUDEOIL24MAR6500CE", "CRUDEOIL", "OPTFUT", "MCX", "650000.000000", "CRUDEOIL28MAR246500CE", 65_000_000),
        // Currencies: ten-millionths. OpenAlgo's text replacement makes 835 of 83.05.
        ("USDINR24MAR83.05CE", "USDINR", "OPTCUR", "CDS", "830500000.000000", "USDINR28MAR2483.05CE", 830_500_000),
        ("USDINR24MAR82.5PE", "USDINR", "OPTCUR", "CDS", "825000000.000000", "USDINR28MAR2482.5PE", 825_000_000),
        ("GS24MAR100CE", "GS", "OPTIRC", "CDS", "1000000000.000000", "GS28MAR24100CE", 1_000_000_000),
    ])
    func namesOptions(
        symbol: String, name: String, type: String, segment: String, strike: String, expected: String, mantissa: Int64
    ) throws {
        let row = try row(record("45", symbol, name, type: type, segment: segment, expiry: "28MAR2024", strike: strike))
        #expect((row.symbol, row.exchange, row.type) == (expected, segment, String(symbol.suffix(2))))
        #expect((row.strike, row.priceExponent) == (mantissa, segment == "CDS" ? -7 : -4))
    }

    @Test func keepsTickSizesExact() throws {
        let row = try row(
            record(
                "1", "USDINR24MARFUT", "USDINR", type: "FUTCUR", segment: "CDS", expiry: "28MAR2024", tick: "0.250000"))
        #expect((row.tickSize, row.priceExponent) == (25_000, -7))  // 0.0025
    }

    /// The file's ticks of currencies are in paise, or in the segment's ten-millionths of a rupee. No contract moves in
    /// steps of more than a rupee, and the exchange quotes four decimals, so what can be paise cannot be the other.
    @Test(
        arguments: [
            ("0.250000", 25_000), ("25000.000000", 25_000), ("0.010000", 1_000), ("1000.000000", 1_000),
            ("100.000000", 10_000_000), ("5.000000", 500_000), ("50000.000000", 50_000), ("100.000001", 0),
            ("999.000000", 0), ("500.000000", 0), ("0.000000", 0), ("-1.000000", 0), ("", 0), ("x", 0),
        ] as [(String, Int64)])
    func ticksOfCurrenciesHaveTwoScales(text: String, tick: Int64) throws {
        let future = try row(
            record("1", "USDINR24MARFUT", "USDINR", type: "FUTCUR", segment: "CDS", expiry: "28MAR2024", tick: text))
        #expect((future.tickSize, future.priceExponent) == (tick, -7))
        let index = try row(record("1001", "NIFTY50", "NIFTY", type: "INDEX", segment: "CDS", tick: text))
        #expect((index.tickSize, index.symbol, index.exchange) == (tick, "NIFTY50", "CDS"))
        // Everywhere else it is paise alone.
        let share = try row(record("1", "A-EQ", "A", segment: "NSE", tick: "25000.000000"))
        #expect((share.tickSize, share.priceExponent) == (2_500_000, -4))
    }

    @Test func symbolsKeepTheirSpaces() throws {
        #expect(try row(record("1", "12 MFLS3", "12 MFLS3", segment: "BSE")).symbol == "12 MFLS3")
    }

    @Test(
        arguments: ["360ONE", "3MINDIA", "SENSEX50", "M&M", "BAJAJ-AUTO", "GUARSEED10"], ["NFO", "BFO", "MCX", "NCDEX"])
    func underlyingsMayHoldDigits(name: String, segment: String) throws {
        let option = record(
            "1", "\(name)24MAR980PE", name, type: "OPTSTK", segment: segment, expiry: "28MAR2024",
            strike: "98000.000000")
        #expect(try row(option).symbol == "\(name)28MAR24980PE")
        let future = record("1", "\(name)24MARFUT", name, type: "FUTSTK", segment: segment, expiry: "28MAR2024")
        #expect(try row(future).symbol == "\(name)28MAR24FUT")
    }

    @Test func leavesOutRowsThatMakeNoSense() throws {
        let bad = [
            record("", "A-EQ", "A", segment: "NSE"), record("1x", "A-EQ", "A", segment: "NSE"),
            record("1", "", "A", segment: "NSE"), record("1", "A", "A", segment: "NCO"),
            record("1", "A", "A", segment: ""),
            record("1", "AFUT", "A", type: "FUTSTK", segment: "NFO"),
            record("1", "AFUT", "A", type: "FUTSTK", segment: "NFO", expiry: "31FEB2024"),
            record("1", "AFUT", "", type: "FUTSTK", segment: "NFO", expiry: "28MAR2024"),
            record("1", "A100CE", "A", type: "OPTSTK", segment: "NFO", expiry: "28MAR2024"),
            record("1", "A100XX", "A", type: "OPTSTK", segment: "NFO", expiry: "28MAR2024", strike: "10000.000000"),
            record("1", "I", "I", type: "AMXIDX", segment: "NFO"), "{}",
        ]
        let good = record("7", "GOOD-EQ", "GOOD", segment: "NSE")
        let result = try parse("[\(bad.joined(separator: ",\n")), \(good)]")
        #expect(result.rows.map(\.symbol) == ["GOOD"])
        #expect(result.skipped == bad.count)
    }

    @Test func readsWhateverOrderAndTypingTheFileHas() throws {
        let row = try row(
            #" {"exch_seg":"NSE", "new":[{"x":null}], "token":2885, "lotsize":1,"symbol":"A\u0026B-EQ", "name":null}"#)
        #expect((row.symbol, row.brokerToken, row.lotSize, row.name) == ("A&B", "2885", 1, ""))
    }

    @Test(arguments: [
        "", "<html>Service unavailable</html>", "[]", "{}", "[{}]", "null", "token,symbol,exch_seg\n1,2,3",
    ])
    func refusesAnotherFile(text: String) throws {
        let error = try #require(throws: AdapterError.self) { try parse(text) }
        #expect(error.status == .invalid)
        #expect(error.message.contains("OpenAPIScripMaster.json"))
    }

    @Test func refusesAFileThatBreaksOff() throws {
        let one = record("7", "GOOD-EQ", "GOOD", segment: "NSE")
        for text in ["[\(one),\(one.dropLast(9))", "[\(one)", "[\(one)]x", "[\(one),5]", "[\(one) \(one)]"] {
            let error = try #require(throws: AdapterError.self) { try parse(text) }
            #expect(error.status == .invalid)
            #expect(error.message.contains("damaged or cut off behind byte \(one.utf8.count + 1), after 1 instruments"))
        }
    }
}
