import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Adapters
@testable import Sessions

/// Adapters whose answers come late, and which may be gone at any moment.
@Suite(.timeLimit(.minutes(1))) struct LateInstanceTests {
    private func run(
        _ declared: Declared = Declared(), connected: Bool = true,
        _ body: (SessionFixture, BrokerSession, LateMaker) async throws -> Void
    ) async throws {
        let maker = LateMaker()
        try await SessionFixture.run(declared, connected: connected, instances: maker) { fixture, session in
            try await body(fixture, session, maker)
        }
    }

    @Test func oneThatCannotBeMadeIsToldLateAndMadeAtTheNextLogin() async throws {
        try await run(connected: false) { fixture, session, _ in
            fixture.broker.change { $0.createStatus = Int(FH_E_INVALID) }
            for _ in 0..<2 {
                let error = await #expect(throws: FeedError.self) { try await session.ready() }
                #expect(error?.code == .brokerInit)
                #expect(error?.message.contains("could not be started: a setting or argument is wrong") == true)
                #expect(refusal(await session.grants([Wish("INFY")])[0])?.code == .brokerInit)
            }
            #expect(await session.referenced.isEmpty)
            fixture.broker.change { $0.createStatus = Int(FH_OK) }
            try await session.ready()
            let grant = try await session.subscribe("INFY")
            #expect(!grant.pending)
        }
    }

    @Test func aRefusalThatComesLateTakesNothingBack() async throws {
        try await run { fixture, session, _ in
            fixture.broker.change {
                $0.subscribes = [
                    { instance, request, wishes in
                        instance.accept(request, [wishes[0]])
                        return Int(FH_E_LIMIT)
                    }
                ]
            }
            let answers = await session.grants([Wish("A"), Wish("B")])
            #expect(refusal(answers[0]) == nil)
            #expect(refusal(answers[1])?.message == "scripted: a limit is reached")
            #expect(await session.referenced == ["NSE:A/LTP/0"])
            try await eventually("only that is served") {
                fixture.broker.instance?.served.values.map(\.name) == ["NSE:A"]
            }
        }
    }

    /// The first connect is refused when the second is under way already.
    @Test func aRefusedConnectOfAFormerGenerationChangesNothing() async throws {
        try await run { fixture, session, maker in
            maker.say(1, .answer(.connect(generation: 0), fh_status(FH_E_AUTH)))
            maker.say(1, .answer(.subscribe(request: 99), fh_status(FH_E_LIMIT)))
            maker.say(1, .answer(.startOrders(request: 99), fh_status(FH_E_LIMIT)))
            try await session.subscribe("A")
            #expect(await session.status() == "connected")
            #expect(fixture.broker.calls.count(\.isConnect) == 1)
        }
    }

    @Test func oneThatIsGoneIsMadeAgainAndHasItsSubscriptionsBack() async throws {
        try await run { fixture, session, maker in
            try await session.subscribe("A")
            try await session.subscribe("B", .depth, depth: 20)
            maker.kill(1, because: "its process has ended")
            try await fixture.broker.calls.waitFor("another", count: 2, where: \.isCreate)
            try await eventually("what was wanted is served") {
                fixture.broker[2]?.served.values.map(\.name).sorted() == ["NSE:A", "NSE:B"]
            }
            try await fixture.lines.waitFor("the reason") { $0.contains("its process has ended; connecting again in") }
            try await eventually("connected") { await session.status() == "connected" }
            // What the first one still has to say is of no interest.
            maker.say(1, .ended(FeedError(.brokerConnection, "gone twice")))
            maker.say(1, .connection(ConnectionEvent(state: Int(FH_CONN_FAILED), generation: 2)))
            await session.settleDown()
            try await session.subscribe("C")
            #expect(await session.status() == "connected")
            #expect(fixture.broker.count == 2)
        }
    }

    /// In whatever state its connection is.
    @Test(arguments: ["connecting", "backing off", "failed"])
    func oneThatIsGoneInAnotherState(_ state: String) async throws {
        var declared = Declared()
        declared.backoffBase = 200
        try await run(declared, connected: false) { fixture, session, maker in
            fixture.broker.change {
                $0.connects = [
                    { instance, generation in
                        switch state {
                        case "backing off": instance.report(FH_CONN_DISCONNECTED, generation, reason: FH_WHY_NETWORK)
                        case "failed": instance.report(FH_CONN_FAILED, generation, reason: FH_WHY_PROTOCOL)
                        default: break
                        }
                        return Int(FH_OK)
                    }
                ]
            }
            async let ready: Void? = try? session.ready()
            try await fixture.broker.calls.waitFor("the first", where: \.isConnect)
            if state == "failed" { await ready }
            maker.kill(1, because: "its process has ended")
            if state == "failed" {
                // Only somebody who asks again has it tried again.
                try await eventually("gone") { await session.isWithoutInstance }
                try await session.ready()
            }
            try await fixture.broker.calls.waitFor("the second", count: 2, where: \.isConnect)
            try await eventually("connected") { await session.status() == "connected" }
            await ready
            try await session.subscribe("A")
            #expect(fixture.broker.count == 2)
        }
    }

    @Test func ordersMoveToAnotherConnectionWhenTheFirstRefusesLate() async throws {
        var declared = Declared()
        declared.orders = .sameSocket
        declared.keepAlive = nil
        let carries = UInt32(FH_MODE_LTP | FH_MODE_QUOTE | FH_MODE_DEPTH | FH_CARRIES_ORDERS)
        declared.links = [Declared.link(carries: carries, quota: 1, maxLinks: 3)]
        try await run(declared) { fixture, session, _ in
            try await session.subscribe("A")
            try await session.subscribe("B")
            fixture.broker.change { $0.orderStarts = [Int(FH_E_LIMIT)] }
            try await session.startOrders()
            try await fixture.lines.waitFor("the second brings them") { $0.contains("order updates started") }
            #expect(
                fixture.broker.calls.entries.filter(\.isOrders)
                    == [.startOrders(instance: 1), .startOrders(instance: 2)])
            await session.stopOrders()
            try await fixture.broker.calls.waitFor("the end") { $0 == .stopOrders(instance: 2) }
        }
    }
}

extension BrokerSession {
    fileprivate var isWithoutInstance: Bool { links.values.allSatisfy { $0.instance == nil } }
}
