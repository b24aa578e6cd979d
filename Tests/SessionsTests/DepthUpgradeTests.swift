import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Sessions

/// A book that was known while Depth was asked for before is not the book of now.
@Suite struct DepthUpgradeTests {
    private static func publishBook(_ instance: ScriptedInstance, _ handle: UInt32, bid: Int64) {
        var tick = fh_tick()
        tick.instrument = handle
        tick.kind = UInt16(FH_MODE_DEPTH)
        tick.fields = UInt64(FH_F_LTP | FH_F_BIDS | FH_F_ASKS)
        tick.price_exp = -2
        tick.ltp = bid + 5
        tick.ts_recv = fh_ts_none()
        tick.ts_exchange = fh_ts_none()
        var level = fh_level(px: bid, qty: 10, orders: 1, reserved: 0)
        #expect(instance.host?.publish_depth(instance.context, &tick, &level, 1, nil, 0) == fh_status(FH_OK))
    }

    @Test(arguments: [Mode.ltp, .quote])
    func theOldBookIsGoneWhenDepthIsAskedForAgain(between: Mode) async throws {
        try await SessionFixture.run { fixture, session in
            let lower = try await session.subscribe("INFY", between).route
            let depth = try await session.subscribe("INFY", .depth, depth: 5).route
            let instance = try #require(fixture.broker.instance)
            let first = try TickReader(fixture.bus)
            try await first.start([depth, lower])
            try await eventually("a book") {
                Self.publishBook(instance, depth.instrument, bid: 100)
                return first.ticks.entries.contains { $0.key == depth && $0.json.contains("{\"price\":1.0,") }
            }
            await session.unsubscribe([depth])
            #expect(fixture.sent.last == ["NSE:INFY/\(between.label)/0"])
            #expect(try await session.subscribe("INFY", .depth, depth: 5).route == depth)
            // A new client: had it been told of a book by now, it would be the old one.
            let second = try TickReader(fixture.bus, shard: 1)
            try await second.start([depth, lower])
            try await eventually("a price") {
                _ = instance.publish(depth.instrument, ltp: 700)
                return second.ticks.entries.contains { $0.key == lower && $0.json.contains("\"ltp\":7.0") }
            }
            #expect(!second.ticks.entries.contains { $0.key == depth })
            Self.publishBook(instance, depth.instrument, bid: 800)
            try await second.ticks.waitFor("the new book") { $0.key == depth }
            let told = second.ticks.entries.first { $0.key == depth }?.json ?? ""
            #expect(told.contains("{\"price\":8.0,") && !told.contains("{\"price\":1.0,"))
            await first.close()
            await second.close()
        }
    }
}
