import CFeedhostABI
import Glibc
import Logging
import MarketBus
import MarketData
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Sessions

/// Adapters that say nothing, or do not come back.
///
/// That a call returns at all is what counts: the adapter does not come back before the test lets it. How long it takes on
/// a busy machine is nobody's business.
@Suite(.timeLimit(.minutes(2))) struct StuckAdapterTests {
    private let clock = ContinuousClock()

    @Test func readyReturnsWhenTheAdapterNeverReports() async throws {
        try await SessionFixture.run(connected: false) { fixture, session in
            fixture.broker.change { $0.connect = { _, _ in Int(FH_OK) } }
            let time = try await clock.measure { try await session.ready() }
            #expect(time > .seconds(2))
            #expect(await session.status() == "connecting")
            let isPending = try await session.subscribe("INFY").pending
            #expect(isPending)
        }
    }

    @Test func createThatFails() async throws {
        try await SessionFixture.run(connected: false) { fixture, session in
            fixture.broker.change { $0.createStatus = Int(FH_E_INVALID) }
            let error = await #expect(throws: FeedError.self) { try await session.ready() }
            #expect(error?.code == .brokerInit)
            #expect(refusal(await session.grants([Wish("INFY")])[0])?.code == .brokerInit)
            #expect(await session.referenced.isEmpty)
            fixture.broker.change { $0.createStatus = Int(FH_OK) }
            try await session.ready()
        }
    }

    /// One adapter sleeps in connect(); what others ask of it is answered, and another broker does not notice.
    @Test func anAdapterThatBlocksHoldsUpNobody() async throws {
        let stuck = try PoolFixture(["stuck", "sound"])
        let gate = Gate()
        stuck.brokers["stuck"]?.change {
            $0.connects = [
                { instance, generation in
                    while !gate.isOpen { usleep(1_000) }
                    instance.report(FH_CONN_READY, generation)
                    return Int(FH_OK)
                }
            ]
        }
        let pool = stuck.pool
        let session = try await pool.attach(user: "anna", broker: "stuck")
        try await session.ready()
        async let late = session.subscribe([Wish("INFY")])
        #expect(await session.status() == "disconnected")

        let other = try await pool.attach(user: "anna", broker: "sound")
        try await other.ready()
        _ = try await other.subscribe([Wish("INFY")])[0].result.get()
        #expect(await other.status() == "connected")
        gate.open()
        let grant = try await late[0].result.get()
        #expect(grant.route.mode == .ltp)
        #expect(await session.status() == "connected")
        await stuck.stop()
    }

    @Test func stopDoesNotWaitForeverForAnAdapterThatHangs() async throws {
        let fixture = try PoolFixture(["stuck"])
        let gate = Gate()
        fixture.brokers["stuck"]?.change {
            $0.connect = { _, _ in
                while !gate.isOpen { usleep(1_000) }
                return Int(FH_OK)
            }
        }
        let session = try await fixture.pool.attach(user: "anna", broker: "stuck")
        try await session.ready()
        await fixture.pool.stop()
        // The session is over for everybody, though its lane still hangs.
        await #expect(throws: FeedError.self) { try await session.ready() }
        #expect(refusal(await session.subscribe([Wish("INFY")])[0].result)?.message == "the session has ended")
        #expect(await session.status() == "disconnected")
        await session.unsubscribe([])
        gate.open()
        try await fixture.brokers["stuck"]?.calls.waitFor("destroy") { $0.isDestroy }
        fixture.bus.stop()
    }

    /// Its session's turn takes seconds, and no other session waits for it, nor who tells of the change.
    @Test func newCredentialsOfOthersDoNotWaitForIt() async throws {
        let fixture = try PoolFixture(["stuck", "alpha"])
        let gate = Gate()
        fixture.brokers["stuck"]?.change {
            $0.connect = { _, _ in
                while !gate.isOpen { usleep(1_000) }
                return Int(FH_OK)
            }
        }
        for user in ["anna", "bert"] { fixture.vault.set(user, version: 1, ["user_id": "1"]) }
        let stuck = try await fixture.pool.attach(user: "anna", broker: "stuck")
        let other = try await fixture.pool.attach(user: "bert", broker: "alpha")
        try await other.ready()
        async let waiting: Void = stuck.ready()
        try await fixture.brokers["stuck"]?.calls.waitFor("the call that hangs") { $0.isConnect }
        let start = ContinuousClock.now
        for version in 2...100 {
            fixture.vault.set("anna", version: UInt64(version), ["user_id": "1"])
            await fixture.pool.credentialsChanged(user: "anna", broker: "stuck")
        }
        fixture.vault.set("bert", version: 2, ["user_id": "2"])
        await fixture.pool.credentialsChanged(user: "bert")
        try await fixture.brokers["alpha"]?.calls.waitFor("the new credentials", count: 2) { $0.isConnect }
        #expect(ContinuousClock.now - start < .seconds(4))
        gate.open()
        // Once for the turn that was under way, and once for all changes that came meanwhile.
        try await waiting
        await fixture.stop()
    }

    /// A session that nobody uses any more, whose adapter does not come back, is left behind.
    @Test func theEndOfAnIdleSessionHasADeadline() async throws {
        var declared = Declared()
        declared.keepAlive = 1
        let fixture = try PoolFixture(["stuck"], declared)
        let gate = Gate()
        let session = try await fixture.pool.attach(user: "anna", broker: "stuck")
        try await session.ready()
        fixture.brokers["stuck"]?.change {
            $0.subscribe = { _, _, _ in
                while !gate.isOpen { usleep(1_000) }
                return Int(FH_OK)
            }
        }
        async let late = session.subscribe([Wish("INFY")])
        try await fixture.brokers["stuck"]?.calls.waitFor("subscribe") { $0.isSubscribe }
        await fixture.pool.detach(session)
        try await fixture.lines.wait("the line") { $0.contains { $0.contains("it is left behind") } }
        await #expect(throws: FeedError.self) { try await session.ready() }
        let next = try await fixture.pool.attach(user: "anna", broker: "stuck")
        #expect(next !== session && next.id != session.id)
        gate.open()
        _ = await late
        try await fixture.brokers["stuck"]?.calls.waitFor("destroy") { $0.isDestroy }
        await fixture.stop()
    }

    /// The client was told that it has nothing; what it gets all the same after that must not stay.
    @Test func aSubscriptionThatComesTooLateIsGivenBack() async throws {
        var declared = Declared()
        declared.ackTimeout = 50
        try await SessionFixture.run(declared) { fixture, session in
            let gate = Gate()
            fixture.broker.change {
                $0.subscribes = [
                    { instance, request, wishes in
                        while !gate.isOpen { usleep(1_000) }
                        instance.accept(request, wishes)
                        return Int(FH_OK)
                    }
                ]
            }
            let result = await session.grants([Wish("INFY")])[0]
            #expect(refusal(result)?.message.contains("does not answer") == true)
            gate.open()
            try await fixture.broker.calls.waitFor("unsubscribe") { $0.isUnsubscribe }
            #expect(await session.referenced.isEmpty)
            #expect(fixture.broker.instance?.served.isEmpty == true)
        }
    }

    @Test func endLetsEverybodyGo() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.change { $0.subscribe = { _, _, _ in Int(FH_OK) } }
            async let first = session.grants([Wish("A"), Wish("B")])
            async let second = session.grants([Wish("A", .depth)])
            try await eventually("waiters") { await session.waiterCount >= 2 }
            await session.end()
            #expect(await first.allSatisfy { refusal($0) != nil })
            #expect(await second.allSatisfy { refusal($0) != nil })
            #expect(
                fixture.broker.calls.entries.suffix(2) == [
                    .disconnect(instance: 1, generation: 1), .destroy(instance: 1),
                ])
            await session.end()
            await #expect(throws: FeedError.self) { try await session.ready() }
            #expect(fixture.broker.calls.count(\.isDestroy) == 1)
            #expect(fixture.broker.count == 1, "nothing is opened again")
        }
    }

    @Test func deadline() async {
        #expect(await withDeadline(.seconds(60), orElse: 1) { 2 } == 2)
        let gate = Gate()
        let late = Journal<Int>()
        let value = await withDeadline(.milliseconds(20), orElse: 1, late: { late.add($0) }) {
            try? await gate.pass()
            return 2
        }
        #expect(value == 1)
        gate.open()
        try? await late.waitFor("the late result") { $0 == 2 }
    }
}
