import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

/// Which connection brings the user's order updates, and when.
@Suite struct OrderStreamTests {
    private static let market = UInt32(FH_MODE_LTP | FH_MODE_QUOTE | FH_MODE_DEPTH)

    /// Orders on the market connections, which take one instrument each.
    private static var sameSocket: Declared {
        var declared = Declared()
        declared.orders = .sameSocket
        declared.keepAlive = nil
        declared.links = [Declared.link(carries: market | UInt32(FH_CARRIES_ORDERS), quota: 1, maxLinks: 3)]
        return declared
    }

    private static var ownSocket: Declared {
        var declared = Declared()
        declared.orders = .ownSocket
        declared.links = [Declared.link(), Declared.link(name: "orders", carries: UInt32(FH_CARRIES_ORDERS))]
        return declared
    }

    private static func orderCalls(_ fixture: SessionFixture) -> [AdapterCall] {
        fixture.broker.calls.entries.filter(\.isOrders)
    }

    @Test func oneStartForAllAndOneStop() async throws {
        try await SessionFixture.run(Self.sameSocket) { fixture, session in
            try await session.subscribe("A")
            try await session.subscribe("B")
            #expect(fixture.broker.count == 2)
            try await fixture.called("both serve", count: 2, session) { $0.isSubscribe }
            #expect(Self.orderCalls(fixture).isEmpty, "nobody wants any")
            try await session.startOrders()
            try await session.startOrders()
            #expect(Self.orderCalls(fixture) == [.startOrders(instance: 1)])
            await session.stopOrders()
            #expect(Self.orderCalls(fixture).count == 1)
            await session.stopOrders()
            #expect(Self.orderCalls(fixture) == [.startOrders(instance: 1), .stopOrders(instance: 1)])
        }
    }

    /// Without a subscription nothing but the order stream would show that the broker is gone.
    @Test func silenceReconnectsAConnectionThatBringsOrdersAlone() async throws {
        var declared = Self.sameSocket
        declared.dataSilence = 1_200
        try await SessionFixture.run(declared) { fixture, session in
            try await session.startOrders()
            try await fixture.broker.calls.waitFor("second connect", count: 2) { $0.isConnect }
            try await fixture.lines.waitFor("the reason") { $0.contains("no data for") }
            try await fixture.broker.calls.waitFor("orders again", count: 2) { $0.isOrders }
        }
    }

    @Test func itMovesWhenItsConnectionGoesAndStaysThere() async throws {
        try await SessionFixture.run(Self.sameSocket) { fixture, session in
            try await session.subscribe("A")
            try await session.subscribe("B")
            try await fixture.called("both serve", count: 2, session) { $0.isSubscribe }
            try await session.startOrders()
            fixture.broker[1]?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            try await fixture.broker.calls.waitFor("reconnect", count: 3) { $0.isConnect }
            try await fixture.called("replay", count: 3, session) { $0.isSubscribe }
            #expect(Self.orderCalls(fixture) == [.startOrders(instance: 1), .startOrders(instance: 2)])
        }
    }

    @Test func afterEveryReconnectItIsStartedAgain() async throws {
        try await SessionFixture.run(Self.sameSocket) { fixture, session in
            try await session.startOrders()
            for generation in 1...3 as ClosedRange<UInt64> {
                fixture.broker.instance?.report(FH_CONN_DISCONNECTED, generation, reason: FH_WHY_NETWORK)
                try await fixture.broker.calls.waitFor("start", count: Int(generation) + 1) {
                    $0 == .startOrders(instance: 1)
                }
            }
            fixture.vault.set(version: 2, ["access_token": "new"])
            await session.credentialsChanged()
            try await fixture.broker.calls.waitFor("start", count: 5) { $0 == .startOrders(instance: 1) }
        }
    }

    @Test func aConnectionIsOpenedForOrdersAlone() async throws {
        try await SessionFixture.run(Self.sameSocket, connected: false) { fixture, session in
            try await session.startOrders()
            try await fixture.broker.calls.waitFor("start") { $0 == .startOrders(instance: 1) }
            try await session.ready()
            #expect(fixture.broker.count == 1)
        }
    }

    @Test func aConnectionThatCannotIsPassedOver() async throws {
        try await SessionFixture.run(Self.sameSocket) { fixture, session in
            try await session.subscribe("A")
            try await session.subscribe("B")
            try await fixture.called("both serve", count: 2, session) { $0.isSubscribe }
            fixture.broker.change { $0.orderStarts = [Int(FH_E_LIMIT)] }
            try await session.startOrders()
            #expect(Self.orderCalls(fixture) == [.startOrders(instance: 1), .startOrders(instance: 2)])
            try await fixture.lines.waitFor("the warning") {
                $0.hasPrefix("warning order updates cannot be started: a limit is reached")
            }
            await session.stopOrders()
            #expect(Self.orderCalls(fixture).last == .stopOrders(instance: 2))
        }
    }

    @Test func aConnectionOfItsOwnIsOpenedAndClosed() async throws {
        try await SessionFixture.run(Self.ownSocket) { fixture, session in
            let route = try await session.subscribe("A").route
            try await session.startOrders()
            try await fixture.broker.calls.waitFor("start") { $0 == .startOrders(instance: 2) }
            #expect(fixture.broker.calls.entries.contains(.create(instance: 2, link: 1, connection: 0)))
            // It serves no instrument, and it is not what "connected" means.
            try await session.subscribe("B")
            #expect(fixture.broker[2]?.served.isEmpty == true)
            await session.stopOrders()
            try await fixture.broker.calls.waitFor("the end") { $0 == .destroy(instance: 2) }
            #expect(Self.orderCalls(fixture) == [.startOrders(instance: 2), .stopOrders(instance: 2)])
            #expect(fixture.broker[1]?.served[route.instrument] != nil)
            // Wanted again, it comes again, as the first of its kind.
            try await session.startOrders()
            try await fixture.broker.calls.waitFor("start") { $0 == .startOrders(instance: 3) }
            #expect(fixture.broker.calls.entries.contains(.create(instance: 3, link: 1, connection: 0)))
        }
    }

    @Test func whoComesBackInTimeFindsItOpen() async throws {
        var declared = Self.ownSocket
        declared.keepAlive = 60_000
        try await SessionFixture.run(declared) { fixture, session in
            for _ in 0..<3 {
                try await session.startOrders()
                try await fixture.broker.calls.waitFor("start") { $0 == .startOrders(instance: 2) }
                await session.stopOrders()
            }
            #expect(fixture.broker.count == 2)
        }
    }

    @Test func refusedOrdersLeaveTheMarketAlone() async throws {
        try await SessionFixture.run(Self.ownSocket) { fixture, session in
            fixture.broker.change {
                $0.connect = { instance, generation in
                    instance.report(FH_CONN_DISCONNECTED, generation, reason: FH_WHY_AUTH_REJECTED)
                    return Int(FH_OK)
                }
            }
            try await session.startOrders()
            try await fixture.lines.waitFor("the end of it") { $0.hasPrefix("error scripted: the broker has refused") }
            try await session.ready()
            #expect(await session.status() == "connected")
            try await session.subscribe("A")
            #expect(fixture.broker.calls.count(\.isConnect) == 3)
        }
    }

    @Test func anOrderConnectionIsNoMarketConnection() async throws {
        try await SessionFixture.run(Self.ownSocket, connected: false) { fixture, session in
            try await session.startOrders()
            try await fixture.broker.calls.waitFor("start") { $0 == .startOrders(instance: 1) }
            #expect(await session.status() == "disconnected")
            try await session.ready()
            #expect(await session.status() == "connected")
            #expect(fixture.broker.calls.entries.contains(.create(instance: 2, link: 0, connection: 0)))
        }
    }

    @Test func whoHasNoOrderStreamSaysSo() async throws {
        try await SessionFixture.run { fixture, session in
            let error = await #expect(throws: FeedError.self) { try await session.startOrders() }
            #expect(error?.message == "scripted has no order stream: its adapter brings market data only")
            #expect(await session.orderReferences == 0)
        }
        var exclusive = Self.ownSocket
        exclusive.flags = .exclusiveSession
        try await SessionFixture.run(exclusive) { fixture, session in
            try await session.startOrders()
            #expect(fixture.broker.count == 1)
            try await fixture.lines.waitFor("why") {
                $0.contains("scripted allows one connection, and it does not carry order updates")
            }
        }
    }

    @Test func anAdapterThatDeclaresOrdersAndHasNoneIsNamed() async throws {
        let fixture = try SessionFixture(Self.sameSocket)
        fixture.broker.change { $0.offersOrders = false }
        let session = fixture.session()
        try await session.ready()
        try await session.startOrders()
        #expect(fixture.broker.count == 1)
        try await fixture.lines.waitFor("why") { $0.contains("does not offer feedhost.orders/1") }
        await fixture.stop()
    }
}
