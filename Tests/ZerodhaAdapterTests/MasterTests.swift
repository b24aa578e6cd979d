import AdapterKit
import CFeedhostABI
import Testing
import ZerodhaAdapter

@Suite struct ZerodhaMasterTests {
    static let header =
        "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,segment,exchange"

    private var file: MasterFile { Zerodha.registration.masters[0] }

    private func rows(_ lines: String...) throws -> (rows: [MasterRow], skipped: Int) {
        try MasterRows.rows(of: file, in: Array(([Self.header] + lines).joined(separator: "\n").utf8))
    }

    @Test func readsAShare() throws {
        let row = try #require(rows("408065,1594,INFY,\"INFOSYS, LTD\",0,,0,0.05,1,EQ,NSE,NSE").rows.first)
        #expect((row.symbol, row.exchange, row.type, row.name) == ("INFY", "NSE", "EQ", "INFOSYS, LTD"))
        #expect((row.brokerSymbol, row.brokerExchange, row.brokerToken) == ("INFY", "NSE", "408065"))
        #expect((row.priceExponent, row.tickSize, row.lotSize, row.strike) == (-2, 5, 1, 0))
        #expect(row.expiry == nil)
    }

    @Test(arguments: [
        ("11536642,45065,NIFTY26DECFUT,NIFTY,0,2026-12-29,0,0.1,65,FUT,NFO-FUT,NFO", "NFO", "NIFTY29DEC26FUT"),
        (
            "11536898,45066,NIFTY26DEC24000CE,NIFTY,0,2026-12-29,24000,0.05,65,CE,NFO-OPT,NFO", "NFO",
            "NIFTY29DEC2624000CE"
        ),
        (
            "11537154,45067,VEDL25APR292.5PE,VEDL,0,2025-04-24,292.5,0.05,1150,PE,NFO-OPT,NFO", "NFO",
            "VEDL24APR25292.5PE"
        ),
        ("412675,1612,USDINR24APRFUT,USDINR,0,2024-04-19,0,0.0025,1,FUT,CDS-FUT,CDS", "CDS", "USDINR19APR24FUT"),
        (
            "412931,1613,USDINR2441982.5CE,USDINR,0,2024-04-19,82.5,0.0025,1,CE,CDS-OPT,CDS", "CDS",
            "USDINR19APR2482.5CE"
        ),
        ("25606,100,USDINR24APRFUT,USDINR,0,2024-04-19,0,0.0025,1,FUT,BCD-FUT,BCD", "BCD", "USDINR19APR24FUT"),
        (
            "122334466,477869,CRUDEOIL26DECFUT,CRUDEOIL,0,2026-12-18,0,1,100,FUT,MCX-FUT,MCX", "MCX",
            "CRUDEOIL18DEC26FUT"
        ),
        ("25612,100,GOLD26DECFUT,GOLD,0,2026-12-04,0,1,1,FUT,NCO-FUT,NCO", "NCO", "GOLD04DEC26FUT"),
        (
            "300549,1174,SENSEX26DEC80000PE,SENSEX,0,2026-12-31,80000,0.05,20,PE,BFO-OPT,BFO", "BFO",
            "SENSEX31DEC2680000PE"
        ),
        ("128083204,500325,RELIANCE,RELIANCE INDUSTRIES,0,,0,0.05,1,EQ,BSE,BSE", "BSE", "RELIANCE"),
        ("519937,2031,M&M,MAHINDRA & MAHINDRA,0,,0,0.05,1,EQ,NSE,NSE", "NSE", "M&M"),
    ])
    func namesEachKindByOpenAlgosRules(line: String, exchange: String, symbol: String) throws {
        let row = try #require(rows(line).rows.first)
        #expect((row.exchange, row.symbol) == (exchange, symbol))
        #expect(row.brokerSymbol == line.split(separator: ",")[2])
        #expect(row.brokerExchange == line.split(separator: ",").last.map(String.init))
    }

    @Test(arguments: [
        ("256265,1001,NIFTY 50,NIFTY 50,0,,0,0,0,EQ,INDICES,NSE", "NSE_INDEX", "NIFTY"),
        ("260105,1016,NIFTY BANK,NIFTY BANK,0,,0,0,0,EQ,INDICES,NSE", "NSE_INDEX", "BANKNIFTY"),
        ("257801,1007,NIFTY FIN SERVICE,NIFTY FIN SERVICE,0,,0,0,0,EQ,INDICES,NSE", "NSE_INDEX", "FINNIFTY"),
        ("288009,1125,NIFTY MID SELECT,NIFTY MID SELECT,0,,0,0,0,EQ,INDICES,NSE", "NSE_INDEX", "MIDCPNIFTY"),
        ("270857,1058,NIFTY NEXT 50,NIFTY NEXT 50,0,,0,0,0,EQ,INDICES,NSE", "NSE_INDEX", "NIFTYNXT50"),
        ("264969,1035,INDIA VIX,INDIA VIX,0,,0,0,0,EQ,INDICES,NSE", "NSE_INDEX", "INDIAVIX"),
        ("265,1,SENSEX,BSE SENSEX,0,,0,0,0,EQ,INDICES,BSE", "BSE_INDEX", "SENSEX"),
        ("265993,1039,MCXBULLDEX,MCXBULLDEX,0,,0,0,0,EQ,INDICES,MCX", "MCX_INDEX", "MCXBULLDEX"),
        ("291849,1140,GIFT NIFTY,GIFT NIFTY,0,,0,0,0,EQ,INDICES,NSEIX", "GLOBAL_INDEX", "GIFTNIFTY"),
        ("292105,1141,DOW JONES,DOW JONES,0,,0,0,0,EQ,INDICES,GLOBAL", "GLOBAL_INDEX", "DOW JONES"),
    ])
    func filesAnIndexUnderItsExchange(line: String, exchange: String, symbol: String) throws {
        let row = try #require(rows(line).rows.first)
        #expect((row.exchange, row.symbol, row.type) == (exchange, symbol, "INDEX"))
    }

    @Test(
        arguments: ["360ONE", "3MINDIA", "SENSEX50", "M&M", "BAJAJ-AUTO", "NIFTYNXT50"],
        ["NFO", "BFO", "MCX", "CDS", "BCD"])
    func underlyingsMayHoldDigits(name: String, exchange: String) throws {
        let result = try rows(
            "7,1,\(name)26SEP980PE,\(name),0,2026-09-24,980,0.05,1,PE,\(exchange)-OPT,\(exchange)",
            "8,1,\(name)26SEPFUT,\(name),0,2026-09-24,0,0.05,1,FUT,\(exchange)-FUT,\(exchange)")
        #expect(result.rows.map(\.symbol) == ["\(name)24SEP26980PE", "\(name)24SEP26FUT"])
    }

    @Test func keepsFineTicksExact() throws {
        let row = try #require(
            rows("412931,1613,USDINR2441982.5CE,USDINR,0,2024-04-19,82.5,0.0025,1,CE,CDS-OPT,CDS").rows.first)
        #expect((row.priceExponent, row.tickSize, row.strike) == (-4, 25, 825_000))
        #expect(row.expiry == CalendarDay(year: 2024, month: 4, day: 19))
    }

    @Test(arguments: [
        ",1,X,X,0,,0,0.05,1,EQ,NSE,NSE", "0,1,X,X,0,,0,0.05,1,EQ,NSE,NSE", "x,1,X,X,0,,0,0.05,1,EQ,NSE,NSE",
        "4294967296,1,X,X,0,,0,0.05,1,EQ,NSE,NSE", "257,1,,X,0,,0,0.05,1,EQ,NSE,NSE",
        "257,1,X,X,0,,0,0.05,1,EQ,NSE,XYZ",
        "257,1,X,X,0,,0,0.05,1,EQ,INDICES,XYZ", "258,1,X,X,0,,0,0.05,1,FUT,NFO-FUT,NFO",
        "258,1,X,X,0,2024-02-30,0,0.05,1,FUT,NFO-FUT,NFO", "258,1,X,,0,2024-02-28,0,0.05,1,FUT,NFO-FUT,NFO",
        "258,1,X,X,0,2024-02-28,abc,0.05,1,CE,NFO-OPT,NFO", "257,1,X,X,0,,0,-1,1,EQ,NSE,NSE",
        "257,1,X,X,0,,0,0.05,-1,EQ,NSE,NSE", "257,1,X",
    ])
    func leavesOutARowThatMakesNoSense(line: String) throws {
        let result = try rows(line, "408065,1594,INFY,INFOSYS,0,,0,0.05,1,EQ,NSE,NSE")
        #expect(result.rows.map(\.symbol) == ["INFY"])
        #expect(result.skipped == 1)
    }

    @Test(arguments: ["", "{\"status\":\"error\"}", "Exchange,Token,Lotsize\nNSE,1,2\n"])
    func refusesAnotherFile(text: String) throws {
        #expect {
            try MasterRows.rows(of: file, in: Array(text.utf8))
        } throws: { error in
            guard let error = error as? AdapterError else { return false }
            return error.status == .invalid && error.message.hasPrefix("the file has no column instrument_token")
        }
    }

    @Test func findsColumnsByTheirNames() throws {
        let text = """
            exchange,segment,instrument_type,lot_size,tick_size,strike,expiry,name,tradingsymbol,instrument_token,new\r
            NSE,NSE,EQ,1,0.05,0,,INFOSYS,INFY,408065,?\r
            """
        let rows = try MasterRows.rows(of: file, in: Array(text.utf8)).rows
        #expect(rows.map(\.symbol) == ["INFY"])
        #expect(rows.map(\.brokerToken) == ["408065"])
    }
}
