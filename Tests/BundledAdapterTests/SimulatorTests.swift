import AdapterKit
import AdapterTestKit
import CFeedhostABI
import SimulatorAdapter
import Testing

/// Made once, as in a plugin: the tables are never freed.
let simulatorEntry = AdapterEntry([Simulator.registration])

/// A connected simulator with a fixed seed.
func openSimulator(_ settings: [String: String] = [:]) throws -> InMemoryHost {
    let host = try InMemoryHost(
        simulatorEntry, settings: ["seed": "42"].merging(settings) { $1 })
    host.connect()
    return host
}

@Suite struct SimulatorTests {
    @Test func sendsASnapshotAtOnceAndThenTicks() throws {
        let host = try openSimulator()
        host.subscribe([host.wish("NSE", "RELIANCE", FH_MODE_QUOTE)])
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_ACKED)])
        #expect(host.tickCount == 0, "the outcome comes before the snapshot")
        host.advance(by: .zero)
        let snapshot = try #require(host.ticks.first)
        #expect(snapshot.record.flags & UInt16(FH_TF_SNAPSHOT) != 0)
        #expect((snapshot.record.price_exp, snapshot.record.qty_exp) == (-2, 0))
        #expect(snapshot.value(\.close, FH_F_CLOSE) == 149_000)
        for bit in [
            FH_F_LTP, FH_F_AVG, FH_F_OPEN, FH_F_HIGH, FH_F_LOW, FH_F_VOLUME, FH_F_TOTAL_BUY, FH_F_TOTAL_SELL, FH_F_BID,
            FH_F_ASK, FH_F_LOWER_LIMIT, FH_F_UPPER_LIMIT, FH_F_YEAR_HIGH, FH_F_YEAR_LOW, FH_F_TRADE_TS,
        ] { #expect(snapshot.holds(bit)) }
        #expect(!snapshot.holds(FH_F_OI))
        host.advance(by: .seconds(1))
        #expect(host.tickCount == 21)
        #expect(host.ticks.dropFirst().allSatisfy { $0.record.flags & UInt16(FH_TF_SNAPSHOT) == 0 })
        #expect(host.ticks.map(\.record.sequence) == (0...20).map { UInt64($0) })
    }

    @Test(arguments: ["RELIANCE", "MRF", "IDEA", "SYM17"])
    func walksPlausibly(symbol: String) throws {
        let host = try openSimulator(["rate": "10000"])
        host.subscribe([host.wish("NSE", symbol, FH_MODE_DEPTH, depth: 30)])
        host.advance(by: .seconds(2))
        #expect(host.tickCount == 20_001)
        let first = try #require(host.ticks.first).record
        var prices: Set<Int64> = []
        var volume: Int64 = 0
        for tick in host.ticks {
            let record = tick.record
            prices.insert(record.ltp)
            try #require(record.ltp % 5 == 0 && record.bid_px % 5 == 0 && record.ask_px % 5 == 0)
            try #require(first.lower_limit <= record.bid_px && record.bid_px < record.ask_px)
            try #require(record.ask_px <= first.upper_limit)
            try #require(tick.bids.first?.price == record.bid_px && tick.bids.first?.quantity == record.bid_qty)
            try #require(tick.asks.first?.price == record.ask_px && tick.asks.first?.quantity == record.ask_qty)
            try #require((1...30).contains(tick.bids.count) && (1...30).contains(tick.asks.count))
            try #require(zip(tick.bids, tick.bids.dropFirst()).allSatisfy { $0.price > $1.price })
            try #require(zip(tick.asks, tick.asks.dropFirst()).allSatisfy { $0.price < $1.price })
            try #require((tick.bids + tick.asks).allSatisfy { $0.quantity > 0 && $0.orders > 0 })
            try #require(record.total_buy_qty >= tick.bids.reduce(0) { $0 + $1.quantity })
            try #require(record.volume >= volume)
            volume = record.volume
        }
        #expect(prices.count > 10)
        #expect(host.ticks.contains { $0.bids.count == 30 } || symbol == "IDEA")
    }

    @Test func givesTheSamePricesForTheSameSeed() throws {
        func prices(_ seed: String, _ symbols: [String], rate: String) throws -> [Int64] {
            let host = try openSimulator(["seed": seed, "rate": rate])
            host.subscribe(symbols.map { host.wish("NSE", $0, FH_MODE_LTP) })
            host.advance(by: .seconds(2))
            let handle = host.wish("NSE", "INFY", FH_MODE_LTP).handle
            return host.ticks.filter { $0.record.instrument == handle }.prefix(200).map(\.record.ltp)
        }
        let alone = try prices("7", ["INFY"], rate: "200")
        #expect(alone.count == 200)
        #expect(try prices("7", ["INFY"], rate: "200") == alone)
        #expect(try prices("7", ["TCS", "INFY", "SBIN"], rate: "900") == alone, "others do not matter")
        #expect(try prices("8", ["INFY"], rate: "200") != alone)
    }

    @Test func takesTheSeedFromTheClock() throws {
        func prices(at start: UInt64) throws -> [Int64] {
            let host = try InMemoryHost(
                simulatorEntry, settings: ["seed": "0"], startingAt: start)
            host.connect()
            host.subscribe([host.wish("NSE", "INFY", FH_MODE_LTP)])
            host.advance(by: .seconds(10))
            return host.ticks.map(\.record.ltp)
        }
        let first = try prices(at: InMemoryHost.epoch)
        #expect(try prices(at: InMemoryHost.epoch) == first)
        #expect(try prices(at: InMemoryHost.epoch + 1) != first)
    }

    @Test(arguments: [1, 3, 7, 20, 999, 1_000, 33_333, 1_000_000])
    func keepsTheRateExactly(rate: Int) throws {
        let host = try openSimulator(["rate": "\(rate)"])
        host.subscribe([host.wish("NSE", "INFY", FH_MODE_LTP), host.wish("NSE", "TCS", FH_MODE_LTP)])
        host.recordsTicks = false
        host.advance(by: .zero)
        #expect(host.tickCount == 2)
        let milliseconds = rate > 10_000 ? 300 : 60_000
        host.advance(by: .milliseconds(milliseconds))
        #expect(abs(host.tickCount - 2 - rate * milliseconds / 1_000) <= max(1, rate / 1_000))
        #expect(host.metrics.isEmpty)
    }

    @Test func catchesUpNoMoreThanATenthOfASecond() throws {
        let host = try openSimulator(["rate": "1000"])
        host.subscribe([host.wish("NSE", "INFY", FH_MODE_LTP)])
        host.advance(by: .zero)
        host.recordsTicks = false
        host.tickCount = 0
        host.stall(for: .seconds(5))
        #expect(host.tickCount == 100)
        #expect(host.metric(FH_M_TICKS_DROPPED) == 4_900)
        host.advance(by: .seconds(1))
        #expect(host.tickCount == 1_100)
    }

    @Test func stopsWhenNothingIsWanted() throws {
        let host = try openSimulator()
        let wishes = ["INFY", "TCS", "SBIN"].map { host.wish("NSE", $0, FH_MODE_LTP) }
        host.subscribe(wishes)
        host.advance(by: .seconds(1))
        host.unsubscribe([wishes[0]])
        host.ticks.removeAll()
        host.advance(by: .seconds(1))
        #expect(Set(host.ticks.map(\.record.instrument)) == [2, 3])
        #expect(host.ticks.count == 20)
        host.unsubscribe(wishes)
        #expect(host.timerCount == 0)
        host.ticks.removeAll()
        host.advance(by: .seconds(1))
        #expect(host.ticks.isEmpty)
        host.subscribe(wishes)
        host.advance(by: .seconds(1))
        #expect(host.ticks.count == 23)
    }

    @Test func sendsOnlyWhatTheModeIsAbout() throws {
        let host = try openSimulator()
        host.subscribe([
            host.wish("NSE", "INFY", FH_MODE_LTP), host.wish("NSE_INDEX", "NIFTY", FH_MODE_DEPTH, depth: 5),
        ])
        host.advance(by: .seconds(1))
        for tick in host.ticks where tick.record.instrument == 1 {
            #expect(tick.record.fields == UInt64(FH_F_LTP | FH_F_TRADE_TS))
        }
        let index = host.ticks.filter { $0.record.instrument == 2 }
        #expect(index.allSatisfy { !$0.holds(FH_F_VOLUME) && !$0.holds(FH_F_BIDS) && !$0.holds(FH_F_BID) })
        #expect(index.first?.value(\.close, FH_F_CLOSE) == 2_598_000)
    }

    @Test func sendsASnapshotWhenTheModeChanges() throws {
        let host = try openSimulator()
        host.subscribe([host.wish("NFO", "NIFTY29DEC26FUT", FH_MODE_LTP)])
        host.advance(by: .seconds(1))
        host.ticks.removeAll()
        host.subscribe([host.wish("NFO", "NIFTY29DEC26FUT", FH_MODE_DEPTH, depth: 20)])
        host.advance(by: .zero)
        let snapshot = try #require(host.ticks.first)
        #expect(snapshot.record.flags & UInt16(FH_TF_SNAPSHOT) != 0)
        #expect(snapshot.record.sequence == 20)
        #expect((snapshot.bids.count, snapshot.asks.count) == (20, 20))
        #expect(snapshot.holds(FH_F_OI) && snapshot.holds(FH_F_OI_PREV))
        #expect(snapshot.record.volume % 65 == 0 && snapshot.record.oi % 65 == 0)
    }

    @Test(arguments: [("30", 30, 30), ("30", 50, 30), ("30", 10, 5), ("20", 30, 20), ("5", 20, 5), ("20", 1, 5)])
    func grantsTheLargestOfferNotAboveTheWish(levels: String, wish: Int, granted: Int) throws {
        let host = try openSimulator(["levels": levels])
        host.subscribe([host.wish("NSE", "INFY", FH_MODE_DEPTH, depth: wish)])
        let result = try #require(host.results.first)
        #expect(Int(result.depth) == granted)
        #expect(result.outcome == UInt32(wish == granted ? FH_SUB_ACKED : FH_SUB_DOWNGRADED))
        host.advance(by: .zero)
        #expect(host.ticks.first?.bids.count == granted)
    }

    @Test(arguments: [
        ("rate", "0"), ("rate", "1000001"), ("rate", "fast"), ("levels", "10"), ("levels", "50"), ("seed", "-1"),
        ("symbols", "RELIANCE"), ("symbols", "MCX:GOLD"), ("symbols", "NSE:"),
    ])
    func refusesSettingsThatMakeNoSense(key: String, value: String) {
        #expect(throws: InMemoryHost.LoadFailure.self) { try openSimulator([key: value]) }
    }
}
