import AdapterTestKit
import CFeedhostABI
import Testing

/// Twenty levels: mode 4 beside mode 3.
@Suite struct AngelDeepBookTests {
    private let book = UInt64(FH_F_BIDS | FH_F_ASKS)

    private func open() throws -> InMemoryHost {
        let host = try openAngel()
        host.settled([host.share("2885", FH_MODE_DEPTH, depth: 20)])
        return host
    }

    @Test func asksForBothModes() throws {
        let host = try openAngel()
        host.subscribe([host.share("2885", FH_MODE_DEPTH, depth: 20)])
        #expect(host.requests == [request(1, 3, (1, ["2885"])), request(1, 4, (1, ["2885"]))])
        host.deliver(WireRecord().packet(3, token: "2885"))
        #expect(host.results.isEmpty)
        host.deliver(WireBook().packet(token: "2885"))
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_ACKED)])
        #expect(host.results.map(\.depth) == [20])
    }

    @Test func publishesTheBookAndNothingElse() throws {
        let host = try open()
        let wire = WireBook()
        host.deliver(wire.packet(token: "2885"))
        let tick = try #require(host.ticks.last)
        #expect(tick.record.fields == book)
        #expect(tick.record.kind == UInt16(FH_MODE_DEPTH))
        #expect(tick.record.flags == UInt16(FH_TF_LAST))
        #expect(tick.record.ts_exchange == 1_700_000_000_500_000_000)
        #expect(tick.record.sequence == .max)
        #expect(tick.record.price_exp == -2)
        #expect(tick.bids == wire.bids && tick.asks == wire.asks)
        #expect(tick.bids.count == 20)
    }

    @Test func skipsEmptyAndNegativeLevels() throws {
        let host = try open()
        var wire = WireBook()
        wire.bids[19].quantity = 0
        wire.asks = []
        var packet = wire.packet(token: "2885")
        packet.put(Int16(-1), at: 51)
        wire.bids[0].orders = 0
        host.deliver(packet)
        #expect(host.ticks.last?.bids == Array(wire.bids.prefix(19)))
        #expect(host.ticks.last?.asks.isEmpty == true)
        #expect(host.ticks.last?.record.fields == book)
    }

    @Test func doesNotLetFiveLevelsTakeThePlaceOfTwenty() throws {
        let host = try open()
        let five = WireRecord().packet(3, token: "2885")
        // Nothing deeper has come yet: five levels are better than none.
        host.deliver(five)
        #expect(host.ticks[0].bids.count == 5)
        host.deliver(WireBook().packet(token: "2885"))
        host.advance(by: .milliseconds(9_999))
        host.deliver(five)
        #expect(host.ticks[2].record.fields & book == 0)
        #expect(host.ticks[2].value(\.ltp, FH_F_LTP) == 141_840)
        #expect(host.ticks[2].value(\.bid_px, FH_F_BID) == 141_830)
        // Mode 4 has fallen silent.
        host.advance(by: .milliseconds(1))
        host.deliver(five)
        #expect(host.ticks[3].record.fields & book == book)
        host.deliver(WireBook().packet(token: "2885"))
        host.deliver(five)
        #expect(host.ticks[4].bids.count == 20 && host.ticks[5].record.fields & book == 0)
    }

    @Test func goesBackToFiveLevels() throws {
        let host = try open()
        host.deliver(WireBook().packet(token: "2885"))
        host.settled([host.share("2885", FH_MODE_DEPTH, depth: 5)])
        #expect(host.requests.dropFirst(2) == [request(0, 4, (1, ["2885"]))])
        #expect(host.results.last?.outcome == UInt32(FH_SUB_SENT_NO_ACK))
        // A late one.
        host.deliver(WireBook().packet(token: "2885"))
        #expect(host.tickCount == 1 && host.metric(FH_M_FRAMES_IGNORED) == 1)
        host.deliver(WireRecord().packet(3, token: "2885"))
        #expect(host.ticks.last?.bids.count == 5)
    }

    @Test func addsTwentyLevelsToFive() throws {
        let host = try openAngel()
        host.settled([host.share("2885", FH_MODE_DEPTH, depth: 5)])
        host.subscribe([host.share("2885", FH_MODE_DEPTH, depth: 20)])
        #expect(host.requests == [request(1, 3, (1, ["2885"])), request(1, 4, (1, ["2885"]))])
        host.deliver(WireBook().packet(token: "2885"))
        #expect(host.results.last?.outcome == UInt32(FH_SUB_ACKED))
        host.unsubscribe([host.share("2885", FH_MODE_DEPTH, depth: 20)])
        #expect(host.requests.dropFirst(2) == [request(0, 3, (1, ["2885"])), request(0, 4, (1, ["2885"]))])
    }

    @Test(arguments: [("NFO", "NFO", 2), ("NSE_INDEX", "NSE", 1), ("CDS", "CDS", 13)])
    func grantsFiveLevelsElsewhere(exchange: String, segment: String, number: Int) throws {
        let host = try openAngel()
        host.subscribe([host.share("7", FH_MODE_DEPTH, depth: 20, on: exchange, segment: segment)])
        #expect(host.requests == [request(1, 3, (number, ["7"]))])
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_DOWNGRADED)])
        #expect(host.results.map(\.depth) == [5])
        #expect(host.results[0].message == "Angel One has 5 levels on \(exchange)")
    }

    @Test func keepsFiveLevelsWhenTwentyAreRefused() throws {
        let host = try openAngel()
        host.subscribe([host.share("2885", FH_MODE_DEPTH, depth: 20)])
        host.refuse(host.correlation(1))
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_DOWNGRADED)])
        #expect(host.results.map(\.depth) == [5])
        #expect(host.requests.dropFirst(2) == [request(0, 4, (1, ["2885"]))])
        host.deliver(WireRecord().packet(3, token: "2885"))
        #expect(host.ticks.last?.bids.count == 5)
    }
}
