import AdapterKit
import FlattradeAdapter
import Testing

/// Underlyings with digits anywhere, hyphens and `&`, in every segment of every broker of the family.
@Suite struct NorenContractNameTests {
    static let underlyings = [
        "360ONE", "3MINDIA", "63MOONS", "20MICRONS", "SENSEX", "SENSEX50", "NIFTYNXT50", "NIFTY50", "M&M", "M&MFIN",
        "BAJAJ-AUTO", "L&TFH", "A1B2C3", "X2026", "26SEP", "NAM-INDIA", "ABC9", "9",
    ]

    /// Expiry as in the file, in OpenAlgo's names, and how BFO spells it.
    static let days = [
        ("24-SEP-2026", "24SEP26", ["26SEP", "26924", "24SEP26"]),
        ("01-OCT-2026", "01OCT26", ["26OCT", "26O01", "01OCT26"]),
        ("31-DEC-2026", "31DEC26", ["26DEC", "26D31", "31DEC26"]),
        ("05-NOV-2026", "05NOV26", ["26NOV", "26N05", "05NOV26"]),
        ("09-SEP-2020", "09SEP20", ["20SEP", "20909", "09SEP20"]),
    ]

    private func row(_ line: String, broker: Int) throws -> MasterRow {
        let header = broker == 0 ? NorenMasterTests.header : NorenMasterTests.family
        let file = Noren.registrations[broker].masters[0]
        return try #require(try MasterRows.rows(of: file, in: Array("\(header)\n\(line)\n".utf8)).rows.first, "\(line)")
    }

    private func line(
        _ exchange: String, _ symbol: String, _ name: String, _ type: String, _ expiry: String, _ strike: String,
        _ right: String, broker: Int
    ) -> String {
        broker == 0
            ? "\(exchange),1001,500,\(symbol),\(name),\(type),\(expiry),\(strike),\(right)"
            : "\(exchange),1001,500,\(symbol),\(name),\(expiry),\(type),\(right),\(strike),0.05,"
    }

    @Test(arguments: underlyings) func onBFOTheNameIsReadFromItsEnd(underlying: String) throws {
        for broker in 0...3 {
            for (expiry, day, spellings) in Self.days {
                for spelling in spellings {
                    let future = line(
                        "BFO", "ONWLFUT", "\(underlying)\(spelling)FUT", "FUTSTK", expiry, "0", "XX", broker: broker)
                    #expect(try row(future, broker: broker).symbol == "\(underlying)\(day)FUT", "\(future)")
                    for (strike, right) in [("980", "PE"), ("80000", "CE"), ("72.5", "CE"), ("26", "PE")] {
                        let option = line(
                            "BFO", "ONWLOPT", "\(underlying)\(spelling)\(strike)\(right)", "OPTSTK", expiry, strike,
                            right, broker: broker)
                        let row = try row(option, broker: broker)
                        #expect(row.symbol == "\(underlying)\(day)\(strike)\(right)", "\(option)")
                        #expect((row.name, row.type, row.exchange) == (underlying, right, "BFO"))
                    }
                }
            }
        }
    }

    @Test(arguments: underlyings) func elsewhereTheColumnHasIt(underlying: String) throws {
        for broker in 0...3 {
            for exchange in ["NFO", "CDS", "MCX"] {
                let option = line(
                    exchange, underlying, "\(underlying)24SEP26P980", "OPTSTK", "24-SEP-2026", "980", "PE",
                    broker: broker)
                #expect(try row(option, broker: broker).symbol == "\(underlying)24SEP26980PE")
                let future = line(
                    exchange, underlying, "\(underlying)24SEP26F", "FUTSTK", "24-SEP-2026", "0", "XX", broker: broker)
                #expect(try row(future, broker: broker).symbol == "\(underlying)24SEP26FUT")
            }
        }
    }

    @Test func rowsThatHaveVanished() throws {
        let text = """
            Exchange,Token,LotSize,Symbol,TradingSymbol,Expiry,Instrument,OptionType,StrikePrice,TickSize,
            BFO,1001,500,ONWLOPT,360ONE26SEP980PE,24-SEP-2026,OPTSTK,PE,980,0.05,
            BFO,1002,500,ONWLFUT,360ONE26OCTFUT,29-OCT-2026,FUTSTK,XX,0,0.05,
            BFO,1003,200,MNMLOPT,M&M26SEP3850PE,24-SEP-2026,OPTSTK,PE,3850,0.05,
            """
        for broker in 1...3 {
            let result = try MasterRows.rows(of: Noren.registrations[broker].masters[5], in: Array(text.utf8))
            #expect(
                result.rows.map { "\($0.exchange):\($0.symbol)=\($0.brokerToken)" } == [
                    "BFO:360ONE24SEP26980PE=1001", "BFO:360ONE29OCT26FUT=1002", "BFO:M&M24SEP263850PE=1003",
                ])
            #expect(result.skipped == 0)
        }
    }

    /// A day that is not in the name: what the column says, or the letters before the first digit.
    @Test(arguments: [
        ("RELI", "RELIANCE27JAN100CE", "RELIANCE24SEP26100CE"), ("RELIANCE", "RELIANCE99X", "RELIANCE24SEP26100CE"),
    ])
    func otherSpellings(symbol: String, name: String, expected: String) throws {
        let option = line("BFO", symbol, name, "OPTSTK", "24-SEP-2026", "100", "CE", broker: 1)
        #expect(try row(option, broker: 1).symbol == expected)
    }

    /// BSE has symbols with spaces.
    @Test func symbolsWithSpaces() throws {
        let text = "\(NorenMasterTests.header)\nBSE,1001,1,ALAN SCOTT,ALAN SCOTT,XT,,0,\nBSE,1002,1,AAA,AAA,A,,0,\n"
        let result = try MasterRows.rows(of: Noren.registrations[0].masters[1], in: Array(text.utf8))
        #expect(result.rows.prefix(2).map { "\($0.exchange):\($0.symbol)" } == ["BSE:ALAN SCOTT", "BSE:AAA"])
        #expect((result.rows[0].brokerSymbol, result.rows[0].brokerToken, result.skipped) == ("ALAN SCOTT", "1001", 0))
    }
}
