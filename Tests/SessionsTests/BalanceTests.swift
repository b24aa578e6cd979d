import CFeedhostABI
import MarketBus
import MarketData
import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

/// Connections that become superfluous, and instruments that change connections.
@Suite struct BalanceTests {
    private static var two: Declared {
        var declared = Declared()
        declared.links = [Declared.link(quota: 3, maxLinks: 3)]
        return declared
    }

    /// One instrument on each of two connections that take three: soon one of them is not needed.
    /// - Parameter prepare: What the broker is to do from then on.
    private static func drain(
        _ fixture: SessionFixture, _ session: BrokerSession,
        _ prepare: @Sendable (inout ScriptedBroker.Script) -> Void = { _ in }
    ) async throws -> (staying: RouteKey, moving: RouteKey) {
        let routes = try await session.grants((0..<6).map { Wish("S\($0)") }).map { try $0.get().route }
        try await fixture.called("both serve", count: 2, session) { $0.isSubscribe }
        fixture.broker.change(prepare)
        await session.unsubscribe(Array(routes[0..<2] + routes[4..<6]))
        return (routes[2], routes[3])
    }

    private static let silence: @Sendable (inout ScriptedBroker.Script) -> Void = {
        $0.subscribes = [{ _, _, _ in Int(FH_OK) }]
    }

    @Test func aConnectionThatIsNoLongerNeededMovesItsInstrumentsAndEnds() async throws {
        try await SessionFixture.run(Self.two) { fixture, session in
            let (staying, moving) = try await Self.drain(fixture, session)
            try await fixture.called("the end", session) { $0 == .destroy(instance: 2) }
            let calls = fixture.broker.calls.entries
            // The new one is asked before the old one is told.
            let asked = try #require(calls.lastIndex { $0.wishes == ["NSE:S3/LTP/0"] })
            let told = try #require(
                calls.lastIndex {
                    if case .unsubscribe(instance: 2, _, let handles) = $0 {
                        handles == [moving.instrument]
                    } else {
                        false
                    }
                })
            #expect(asked < told)
            #expect(calls[asked].wishes == ["NSE:S3/LTP/0"])
            #expect(Set(try #require(fixture.broker[1]).served.keys) == [staying.instrument, moving.instrument])
            #expect(await session.linkCount == 1)
            #expect(await session.departures.isEmpty)
            // The next one has the number that is free.
            _ = await session.grants((10..<13).map { Wish("S\($0)") })
            #expect(
                fixture.broker.calls.entries.last(where: \.isCreate) == .create(instance: 3, link: 0, connection: 1))
        }
    }

    @Test func ticksOfAMoveNeverGoBackwards() async throws {
        try await SessionFixture.run(Self.two) { fixture, session in
            let (_, moving) = try await Self.drain(fixture, session, Self.silence)
            let reader = try TickReader(fixture.bus)
            try await reader.start([moving])
            let (old, new) = (try #require(fixture.broker[2]), try #require(fixture.broker[1]))
            try await eventually("a tick") {
                old.publish(moving.instrument, ltp: 100)
                return !reader.ticks.entries.isEmpty
            }
            try await fixture.called("the move", count: 3, session) { $0.isSubscribe }
            // Until the new one speaks, the old one counts; from then on it does not.
            old.publish(moving.instrument, ltp: 200)
            try await reader.ticks.waitFor("the old one's") { $0.json.contains("\"ltp\":2.0") }
            new.publish(moving.instrument, ltp: 300)
            try await reader.ticks.waitFor("the new one's") { $0.json.contains("\"ltp\":3.0") }
            old.publish(moving.instrument, ltp: 200)
            // The rings of two connections are read one after another: wait until the late one was looked at.
            try await eventually("the late one was left out") {
                fixture.bus.counters.snapshot.contains { $0.name == "bus_superseded_ticks" && $0.value == 1 }
            }
            new.publish(moving.instrument, ltp: 400)
            try await reader.ticks.waitFor("the next") { $0.json.contains("\"ltp\":4.0") }
            let after = reader.ticks.entries.drop { !$0.json.contains("\"ltp\":3.0") }
            #expect(!after.contains { $0.json.contains("\"ltp\":2.0") })
            await reader.close()
        }
    }

    @Test func whatTheOtherConnectionRefusesStays() async throws {
        try await SessionFixture.run(Self.two) { fixture, session in
            let (staying, moving) = try await Self.drain(fixture, session) {
                $0.subscribe = { instance, request, wishes in
                    instance.reject(request, wishes, message: "full")
                    return Int(FH_OK)
                }
            }
            try await fixture.lines.waitFor("the refusal") { $0.contains("full; it stays where it was") }
            #expect(fixture.broker[2]?.served.keys.sorted() == [moving.instrument])
            #expect(fixture.broker[2]?.isDestroyed == false)
            #expect(await session.placement[moving.instrument] == 1)
            #expect(await session.departures.isEmpty)
            await session.unsubscribe([staying, moving])
            #expect(fixture.broker[2]?.served.isEmpty == true)
        }
    }

    @Test func whenTheNewConnectionIsLostTheOldOneServesOn() async throws {
        try await SessionFixture.run(Self.two) { fixture, session in
            let (staying, moving) = try await Self.drain(fixture, session, Self.silence)
            try await fixture.called("the move", count: 3, session) { $0.isSubscribe }
            let before = fixture.broker.calls.entries.count
            fixture.broker[1]?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK, retryAfter: 3_600_000)
            await session.settleDown()
            #expect(fixture.broker[2]?.served[moving.instrument] != nil)
            #expect(await session.placement[moving.instrument] == 1)
            #expect(await session.departures.isEmpty)
            // Now that one is the superfluous one; what it had comes here.
            try await fixture.called("the end", session) { $0 == .destroy(instance: 1) }
            #expect(Set(try #require(fixture.broker[2]).served.keys) == [staying.instrument, moving.instrument])
            let told = fixture.broker.calls.entries.dropFirst(before).contains { $0.isUnsubscribe }
            #expect(!told)
        }
    }

    @Test func whenTheOldConnectionIsLostNothingIsAskedTwice() async throws {
        try await SessionFixture.run(Self.two) { fixture, session in
            let (_, moving) = try await Self.drain(fixture, session, Self.silence)
            try await fixture.called("the move", count: 3, session) { $0.isSubscribe }
            fixture.broker[2]?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            try await fixture.called("the end", session) { $0 == .destroy(instance: 2) }
            #expect(await session.placement[moving.instrument] == 0)
            #expect(fixture.broker.calls.count(\.isSubscribe) == 3)
        }
    }

    @Test func whoIsNeededAgainStays() async throws {
        var declared = Self.two
        declared.links = [Declared.link(quota: 3, maxLinks: 2)]
        try await SessionFixture.run(declared) { fixture, session in
            // The first connection does not answer, so the move hangs, and the room is wanted meanwhile.
            _ = try await Self.drain(fixture, session, Self.silence)
            try await fixture.called("the move", count: 3, session) { $0.isSubscribe }
            let grants = await session.grants((10..<13).map { Wish("S\($0)") })
            #expect(grants.allSatisfy { refusal($0) == nil })
            #expect(fixture.broker.count == 2)
            #expect(fixture.broker[2]?.isDestroyed == false)
        }
    }

    @Test func paceAndBatchesHoldWhileMoving() async throws {
        var declared = Self.two
        declared.links = [Declared.link(quota: 12, maxLinks: 2, batch: 2)]
        try await SessionFixture.run(declared) { fixture, session in
            let routes = try await session.grants((0..<24).map { Wish("S\($0)") }).map { try $0.get().route }
            try await fixture.called("both serve", count: 12, session) { $0.isSubscribe }
            let before = fixture.sent.count
            await session.unsubscribe(Array(routes[0..<5] + routes[17...]))
            try await fixture.called("the end", session) { $0 == .destroy(instance: 2) }
            #expect(fixture.sent.dropFirst(before).map(\.count) == [2, 2, 1])
            #expect(fixture.broker[1]?.served.count == 12)
        }
    }

    @Test func aDeadConnectionIsReplacedAlone() async throws {
        try await SessionFixture.run(Self.two) { fixture, session in
            _ = await session.grants((0..<9).map { Wish("S\($0)") })
            try await fixture.called("all serve", count: 3, session) { $0.isSubscribe }
            let served = (1...3).map { fixture.broker[$0]?.served }
            fixture.broker[2]?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            try await fixture.broker.calls.waitFor("reconnect", count: 4) { $0.isConnect }
            try await fixture.called("replay", count: 4, session) { $0.isSubscribe }
            #expect((1...3).map { fixture.broker[$0]?.served } == served)
            #expect(fixture.broker.calls.count(\.isUnsubscribe) == 0)
            #expect(fixture.broker.count == 3)
            #expect(fixture.sent.last == ["NSE:S3/LTP/0", "NSE:S4/LTP/0", "NSE:S5/LTP/0"])
        }
    }

    @Test func orderUpdatesSurviveTheEndOfTheirConnection() async throws {
        var declared = Self.two
        declared.orders = .sameSocket
        declared.links = [Declared.link(carries: 15, quota: 3, maxLinks: 3)]
        try await SessionFixture.run(declared) { fixture, session in
            fixture.broker.change { $0.orderStarts = [Int(FH_E_STATE)] }
            let routes = try await session.grants((0..<6).map { Wish("S\($0)") }).map { try $0.get().route }
            try await fixture.called("both serve", count: 2, session) { $0.isSubscribe }
            try await session.startOrders()
            #expect(fixture.broker.calls.entries.last == .startOrders(instance: 2))
            fixture.broker[1]?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            try await fixture.called("replay", count: 3, session) { $0.isSubscribe }
            await session.unsubscribe(Array(routes[0..<3]))
            // The one that brings orders stays, and the other one goes.
            try await fixture.called("the end", session) { $0 == .destroy(instance: 1) }
            #expect(fixture.broker.calls.count(\.isOrders) == 2)
            #expect(fixture.broker[2]?.served.count == 3)
        }
    }
}
