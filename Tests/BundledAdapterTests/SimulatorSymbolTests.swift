import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing

@testable import SimulatorAdapter

@Suite struct SimulatorSymbolTests {
    private func message(_ exchange: String, _ symbol: String) throws -> String {
        let host = try openSimulator()
        host.subscribe([host.wish(exchange, symbol, FH_MODE_LTP)])
        let result = try #require(host.results.first)
        #expect(result.outcome == UInt32(FH_SUB_REJECTED))
        #expect(result.status == .unknownInstrument)
        host.advance(by: .seconds(1))
        #expect(host.tickCount == 0)
        return result.message
    }

    @Test(arguments: [
        ("NSE", "BADSYM", ""), ("NSE", "RELAINCE", "RELIANCE"), ("NSE", "reliance", "RELIANCE"),
        ("BSE", "INFYY", "INFY"),
        ("NSE", "NIFTY", "NSE_INDEX:NIFTY"), ("NSE_INDEX", "SENSEX", "BSE_INDEX:SENSEX"),
        ("NSE_INDEX", "NIFTI", "NIFTY"), ("NSE", "NIFTY29DEC26FUT", "NFO:NIFTY29DEC26FUT"), ("MCX", "GOLD", ""),
        ("NSE", "", ""), ("BSE", "SYM5", "NSE:SYM5"), ("NFO", "INDIAVIX29DEC26FUT", ""), ("NSE", "\u{1F680}", ""),
        ("NSE", "SYM", ""), ("NSE", "SYM1234567890", ""), ("NFO", "NIFTY31NOV26FUT", ""),
    ])
    func refusesUnknownSymbols(exchange: String, symbol: String, suggestion: String) throws {
        let plain = "Symbol \(symbol) not found for exchange \(exchange)"
        let expected = suggestion.isEmpty ? plain : "\(plain). Did you mean \(suggestion)?"
        #expect(try message(exchange, symbol) == expected)
    }

    @Test(arguments: [
        ("NSE", "RELIANCE"), ("BSE", "M&M"), ("NSE", "BAJAJ-AUTO"), ("NSE", "SYM0"), ("NSE", "SYM999999999"),
        ("NSE_INDEX", "INDIAVIX"), ("NSE_INDEX", "NIFTYNXT50"), ("BSE_INDEX", "BANKEX"), ("NFO", "NIFTY29DEC26FUT"),
        ("NFO", "NIFTY29DEC2624000CE"), ("NFO", "RELIANCE29DEC26FUT"), ("NFO", "NIFTYNXT5029DEC26FUT"),
        ("NFO", "VEDL25APR24292.5CE"), ("NFO", "M&M29FEB283700PE"), ("NSE", "MYSHARE"), ("NSE", "OTHER"),
    ])
    func knowsWhatANewcomerTypes(exchange: String, symbol: String) throws {
        let host = try openSimulator(["symbols": "NSE:MYSHARE, NSE:OTHER"])
        host.subscribe([host.wish(exchange, symbol, FH_MODE_DEPTH, depth: 5)])
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_ACKED)])
        host.advance(by: .seconds(3))
        #expect(host.tickCount == 61)
        #expect(host.ticks.allSatisfy { $0.record.ltp > 0 })
    }

    @Test func readsDerivatives() {
        func read(_ symbol: String) -> DerivativeName? {
            DerivativeName(symbol) { ["NIFTY", "NIFTYNXT50", "VEDL"].contains($0) }
        }
        #expect(read("NIFTY29DEC2624000CE")?.contract == .option(strike: 2_400_000, isCall: true))
        #expect(read("VEDL29DEC26292.5PE")?.contract == .option(strike: 29_250, isCall: false))
        #expect(read("NIFTYNXT5029DEC26FUT")?.underlying == "NIFTYNXT50")
        #expect(read("NIFTY29FEB24FUT") != nil)
        for wrong in [
            "NIFTY29FEB26FUT", "NIFTY00DEC26FUT", "NIFTY29XXX26FUT", "NIFTY29DEC26", "NIFTY29DEC26CE", "29DEC26FUT", "",
            "NIFTY29DEC260CE", "NIFTY29DEC2624000.CE", "NIFTY29DEC2624000.555CE", "BANK29DEC26FUT", "NIFTY29DEC26FUTX",
            "NIFTY29DEC26999999999CE", "NIFTY9DEC26FUT", "nifty29DEC26FUT",
        ] { #expect(read(wrong) == nil, "\(wrong)") }
    }

    @Test func pricesEveryListing() throws {
        let market = try Market(extraSymbols: "")
        #expect(Shares.prices.count >= 250)
        for (symbol, price) in Shares.prices {
            let listing = try #require(market.listing("NSE", symbol))
            #expect(listing.close == price)
            #expect(listing.limits.lower < listing.limits.upper)
            for contract in ["FUT", "1CE", "99999999PE", "\(price / 100)CE"] {
                let derivative = try #require(market.listing("NFO", "\(symbol)29DEC26\(contract)"))
                #expect(derivative.close > 0 && derivative.close % 5 == 0 && derivative.lot > 0)
                #expect(derivative.limits.lower < derivative.limits.upper)
            }
        }
    }

    @Test func pricesOptionsByMoneyness() throws {
        let market = try Market(extraSymbols: "")
        let calls = [20_000, 25_900, 26_000, 28_000].compactMap { market.listing("NFO", "NIFTY29DEC26\($0)CE")?.close }
        #expect(calls == calls.sorted(by: >) && calls.count == 4)
        let puts = [20_000, 25_900, 26_000, 28_000].compactMap { market.listing("NFO", "NIFTY29DEC26\($0)PE")?.close }
        #expect(puts == puts.sorted(by: <) && puts.count == 4)
    }

    /// Extreme contracts walk without an overflow or a price outside their limits.
    @Test(arguments: ["IDEA29DEC2699999999PE", "IDEA29DEC26999CE", "MRF29DEC261CE", "NIFTY29DEC261PE"])
    func walksAtTheEdges(symbol: String) throws {
        let host = try openSimulator(["rate": "20000"])
        host.subscribe([host.wish("NFO", symbol, FH_MODE_DEPTH, depth: 30)])
        host.advance(by: .seconds(1))
        let limits = try #require(host.ticks.first).record
        for tick in host.ticks {
            try #require((limits.lower_limit...limits.upper_limit).contains(tick.record.ltp))
            try #require(tick.bids.allSatisfy { $0.price > 0 })
        }
    }
}
