import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

/// Links, quotas, batches and pace.
@Suite struct CapacityTests {
    private static let refusing: ScriptedBroker.OnSubscribe = { instance, request, wishes in
        instance.reject(request, wishes)
        return Int(FH_OK)
    }

    /// Without a confirmation.
    private static let serving: ScriptedBroker.OnSubscribe = { instance, _, wishes in
        instance.serve(wishes)
        return Int(FH_OK)
    }

    @Test func theSecondConnectionOpensWhenTheFirstIsFull() async throws {
        var declared = Declared()
        declared.links = [Declared.link(quota: 2, maxLinks: 2)]
        try await SessionFixture.run(declared) { fixture, session in
            let routes = await session.grants([Wish("A"), Wish("B"), Wish("C")]).compactMap { try? $0.get().route }
            #expect(routes.count == 3)
            #expect(
                fixture.broker.calls.entries.filter(\.isCreate) == [
                    .create(instance: 1, link: 0, connection: 0), .create(instance: 2, link: 0, connection: 1),
                ])
            try await fixture.called("C", session) { $0.wishes == ["NSE:C/LTP/0"] }
            try await session.subscribe("D")
            let full = refusal(await session.grants([Wish("E")])[0])
            #expect(full?.code == .capacity)
            #expect(
                full?.message
                    == "scripted: 2 connections of 2 instruments are full (4 subscribed); unsubscribe some first")
            #expect(await session.referenced.count == 4)
            // What is there already needs no room, and what leaves makes some.
            try await session.subscribe("A", .depth)
            await session.unsubscribe([routes[1]])
            try await session.subscribe("E")
            #expect(fixture.broker[1]?.served.count == 2 && fixture.broker[2]?.served.count == 2)
        }
    }

    @Test func threeConnectionsOfThreeThousand() async throws {
        var declared = Declared()
        declared.links = [Declared.link(quota: 3_000, maxLinks: 3, batch: 500)]
        try await SessionFixture.run(declared) { fixture, session in
            let results = await session.grants((0...9_000).map { Wish("S\($0)") })
            #expect(results.count { refusal($0) == nil } == 9_000)
            try await eventually("all connections serve") {
                (1...3).allSatisfy { fixture.broker[$0]?.served.count == 3_000 }
            }
            #expect(
                refusal(results[9_000])
                    == FeedError(
                        .capacity,
                        "scripted: 3 connections of 3,000 instruments are full (9,000 subscribed); unsubscribe some first"
                    ))
        }
    }

    @Test func aDeepBookCountsTwiceWhereModesAreCounted() async throws {
        var declared = Declared()
        declared.links = [Declared.link(quota: 4, unit: .instrumentAndMode)]
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("A", .depth, depth: 20)
            try await session.subscribe("B", .depth, depth: 5)
            let last = try await session.subscribe("C", .ltp).route
            let full =
                "scripted: 1 connection of 4 (instrument, mode) pairs is full (4 subscribed); unsubscribe some first"
            #expect(refusal(await session.grants([Wish("D")])[0])?.message == full)
            #expect(refusal(await session.grants([Wish("B", .depth, depth: 20)])[0])?.message == full)
            #expect(await session.wanted == ["NSE:A/Depth/20", "NSE:B/Depth/5", "NSE:C/LTP/0"])
            // More of what counts once costs nothing.
            try await session.subscribe("C", .depth, depth: 5)
            await session.unsubscribe([last])
            #expect(fixture.broker.count == 1)
        }
    }

    @Test func whatTheBrokerHasNotGivenUpCountsOn() async throws {
        var declared = Declared()
        declared.links = [Declared.link(quota: 4, unit: .instrumentAndMode)]
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("A", .depth, depth: 5)
            let deep = try await session.subscribe("A", .depth, depth: 20).route
            try await session.subscribe("B", .depth, depth: 20)
            // The broker refuses to send less, so it sends A in two modes still.
            fixture.broker.change { $0.subscribes = [Self.refusing] }
            await session.unsubscribe([deep])
            await session.settleDown()
            #expect(await session.wanted == ["NSE:A/Depth/5", "NSE:B/Depth/20"])
            #expect(refusal(await session.grants([Wish("C")])[0])?.code == .capacity)
            #expect(fixture.broker.instance?.served.count == 2)
            // Once it has granted less, there is room.
            let again = try await session.subscribe("A", .depth, depth: 20).route
            await session.unsubscribe([again])
            await session.settleDown()
            try await session.subscribe("C")
            #expect(fixture.broker.instance?.served.count == 3)
        }
    }

    @Test func whatMayHaveBeenSubscribedCounts() async throws {
        var declared = Declared()
        declared.ackTimeout = 30
        declared.links = [Declared.link(quota: 2, unit: .instrumentAndMode)]
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("A", .depth, depth: 5)
            // Twenty levels are served and never confirmed; then the broker refuses to go back to five.
            fixture.broker.change { $0.subscribes = [Self.serving, Self.refusing] }
            #expect(refusal(await session.grants([Wish("A", .depth, depth: 20)])[0]) != nil)
            await session.settleDown()
            #expect(await session.wanted == ["NSE:A/Depth/5"])
            #expect(refusal(await session.grants([Wish("B")])[0])?.code == .capacity)
            #expect(fixture.broker.instance?.served.values.map(\.depth) == [20])
        }
    }

    @Test func anExclusiveSessionHasOneConnection() async throws {
        var declared = Declared()
        declared.flags = .exclusiveSession
        declared.links = [
            Declared.link(quota: 1, maxLinks: 5, maxDepth: 5), Declared.link(name: "depth", carries: 4),
        ]
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("A")
            #expect(refusal(await session.grants([Wish("B")])[0])?.code == .capacity)
            #expect(refusal(await session.grants([Wish("A", .depth, depth: 20)])[0])?.code == .capacity)
            #expect(fixture.broker.count == 1)
            #expect(await session.wanted == ["NSE:A/LTP/0"])
        }
    }

    @Test func theConfigurationMayAllowLess() async throws {
        var declared = Declared()
        declared.links = [Declared.link(quota: 100, maxLinks: 5)]
        var limits = PoolLimits()
        limits.maxSymbols = 1
        limits.maxConnections = 2
        try await SessionFixture.run(declared, limits: limits) { _, session in
            let results = await session.grants([Wish("A"), Wish("B"), Wish("C")])
            #expect(results.map { refusal($0)?.code } == [nil, nil, .capacity])
        }
    }

    @Test func deepBooksMoveToTheirOwnConnectionAndBack() async throws {
        var declared = Declared()
        declared.links = [
            Declared.link(quota: 1, maxDepth: 5), Declared.link(name: "depth", carries: 4, quota: 1),
        ]
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("A", .ltp)
            let deep = try await session.subscribe("A", .depth, depth: 20)
            try await fixture.called("deep", session) { $0.wishes == ["NSE:A/Depth/20"] }
            #expect(fixture.broker[1]?.served.isEmpty == true)
            // There is no room for another deep book: whoever has the shallow one keeps it.
            try await session.subscribe("B", .quote)
            #expect(refusal(await session.grants([Wish("B", .depth, depth: 30)])[0])?.code == .capacity)
            #expect(fixture.broker[1]?.served.values.map(\.name) == ["NSE:B"])
            // Back there is no room either: A stays where it is rather than nowhere.
            await session.unsubscribe([deep.route])
            #expect(await session.wanted == ["NSE:A/Depth/20", "NSE:B/Quote/0"])
            #expect(fixture.broker[2]?.served.values.map(\.name) == ["NSE:A"])
        }
    }

    @Test func whoWaitsMovesAlong() async throws {
        var declared = Declared()
        declared.links = [Declared.link(maxDepth: 5), Declared.link(name: "depth", carries: 4)]
        try await SessionFixture.run(declared) { fixture, session in
            fixture.broker.change { $0.subscribes = [{ _, _, _ in Int(FH_OK) }] }
            async let waiting = session.grants([Wish("A", .ltp)])
            try await fixture.broker.calls.waitFor("subscribe") { $0.isSubscribe }
            try await eventually("waiters") { await session.waiterCount >= 1 }
            _ = try await session.subscribe("A", .depth, depth: 20)
            let moved = try await waiting[0].get()
            #expect(moved.route.mode == .ltp)
            #expect(await session.references.instruments.count == 1)
        }
    }

    @Test func deepQuota() async throws {
        var declared = Declared()
        declared.links = [Declared.link(deepQuota: 1, maxLinks: 2)]
        try await SessionFixture.run(declared) { fixture, session in
            let results = await session.grants(["A", "B", "C"].map { Wish($0, .depth, depth: 20) })
            #expect(results.map { refusal($0)?.code } == [nil, nil, .capacity])
            #expect(
                refusal(results[2])?.message
                    == "scripted: 2 connections of 1 instruments with more than 5 levels are full (2 subscribed); unsubscribe some first"
            )
            try await session.subscribe("C", .depth, depth: 5)
            #expect(fixture.broker.count == 2)
        }
    }

    @Test func batches() async throws {
        var declared = Declared()
        declared.links = [Declared.link(batch: 3)]
        try await SessionFixture.run(declared) { fixture, session in
            let routes = await session.grants((0..<8).map { Wish("S\($0)") }).compactMap { try? $0.get().route }
            #expect(fixture.sent.map(\.count) == [3, 3, 2])
            await session.unsubscribe(routes)
            #expect(fixture.broker.calls.count(\.isUnsubscribe) == 3)
            #expect(fixture.broker.instance?.served.isEmpty == true)
        }
    }

    @Test func pace() async throws {
        var declared = Declared()
        declared.links = [Declared.link(batch: 2, perSecond: 20)]
        try await SessionFixture.run(declared) { fixture, session in
            let clock = ContinuousClock()
            let start = clock.now
            let results = await session.grants((0..<8).map { Wish("S\($0)") })
            #expect(results.allSatisfy { refusal($0) == nil })
            #expect(fixture.sent.map(\.count) == [2, 2, 2, 2])
            #expect(clock.now - start >= .milliseconds(149), "three steps of 50 ms")
        }
    }

    @Test func whatThePaceHoldsBackIsPending() async throws {
        var declared = Declared()
        declared.links = [Declared.link(batch: 1, perSecond: 1)]
        try await SessionFixture.run(declared) { fixture, session in
            let results = await session.grants((0..<20).map { Wish("S\($0)") })
            let grants = try results.map { try $0.get() }
            #expect(grants.first?.pending == false)
            #expect(grants.last?.pending == true)
            #expect(await session.references.instruments.count == 20)
        }
    }
}
