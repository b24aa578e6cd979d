import CFeedhostABI
import MarketBus
import MarketData
import TestSupport
import Testing

@testable import Sessions

@Suite struct SessionPoolTests {
    private static func run(
        _ declared: Declared = Declared(), externalAs: String? = nil,
        _ body: (PoolFixture, ScriptedBroker) async throws -> Void
    ) async throws {
        let fixture = try PoolFixture(["alpha"], declared, externalAs: externalAs)
        do {
            try await body(fixture, try #require(fixture.brokers["alpha"]))
        } catch {
            await fixture.stop()
            throw error
        }
        await fixture.stop()
    }

    @Test func clientsOfAUserShareOneSessionThatEndsAfterItsTime() async throws {
        try await Self.run { fixture, broker in
            let first = try await fixture.pool.attach(user: "anna", broker: "alpha")
            let second = try await fixture.pool.attach(user: "anna", broker: "alpha")
            #expect(first === second)
            try await first.ready()
            await fixture.pool.detach(first)
            #expect(await fixture.pool.samples().first?.count == 1)
            await fixture.pool.detach(second)
            try await broker.calls.waitFor("destroy") { $0.isDestroy }
            #expect(broker.calls.entries.suffix(2) == [.disconnect(instance: 1, generation: 1), .destroy(instance: 1)])
            let third = try await fixture.pool.attach(user: "anna", broker: "alpha")
            #expect(third !== first)
            try await third.ready()
            #expect(broker.count == 2 && broker.calls.count(\.isDestroy) == 1)
            // Of a session that is gone.
            await fixture.pool.detach(first)
            #expect(await fixture.pool.samples().first?.count == 1)
        }
    }

    @Test func whoComesBackInTimeFindsTheSession() async throws {
        var declared = Declared()
        declared.keepAlive = 150
        try await Self.run(declared) { fixture, broker in
            let first = try await fixture.pool.attach(user: "anna", broker: "alpha")
            try await first.ready()
            for _ in 0..<20 {
                await fixture.pool.detach(first)
                let again = try await fixture.pool.attach(user: "anna", broker: "alpha")
                #expect(again === first)
            }
            await fixture.pool.detach(first)
            try await broker.calls.waitFor("destroy") { $0.isDestroy }
            #expect(broker.calls.count(\.isDestroy) == 1)
            #expect(await fixture.pool.samples().first?.count == 0)
        }
    }

    @Test func someBrokersStayConnected() async throws {
        var declared = Declared()
        declared.keepAlive = nil
        try await Self.run(declared) { fixture, broker in
            let first = try await fixture.pool.attach(user: "anna", broker: "alpha")
            try await first.ready()
            await fixture.pool.detach(first)
            // Longer than every other test's keep-alive time.
            let other = try await fixture.pool.attach(user: "bert", broker: "alpha")
            try await other.ready()
            #expect(broker.calls.count(\.isDestroy) == 0)
            let again = try await fixture.pool.attach(user: "anna", broker: "alpha")
            #expect(again === first)
        }
    }

    @Test func twoUsersAreTwoInstancesAndSeeOnlyTheirOwn() async throws {
        try await Self.run { fixture, broker in
            fixture.vault.set("anna", version: 1, ["user_id": "A"])
            fixture.vault.set("bert", version: 1, ["user_id": "B"])
            let anna = try await fixture.pool.attach(user: "anna", broker: "alpha")
            try await anna.ready()
            let bert = try await fixture.pool.attach(user: "bert", broker: "alpha")
            try await bert.ready()
            #expect(
                broker.calls.entries.filter(\.isConnect) == [
                    .connect(instance: 1, generation: 1, version: 1, ["user_id": "A"]),
                    .connect(instance: 2, generation: 1, version: 1, ["user_id": "B"]),
                ])
            let annas = try await anna.subscribe([Wish("INFY")])[0].result.get().route
            let berts = try await bert.subscribe([Wish("INFY")])[0].result.get().route
            #expect(annas != berts && annas.instrument == berts.instrument)
            let reader = try TickReader(fixture.bus)
            try await reader.start([annas, berts])
            let handle = annas.instrument
            broker[1]?.publish(handle, ltp: 100)
            broker[2]?.publish(handle, ltp: 200)
            try await reader.ticks.wait("both") { ticks in Set(ticks.map(\.key)) == [annas, berts] }
            for tick in reader.ticks.entries {
                #expect(tick.json.contains(tick.key == annas ? "\"ltp\":1.0," : "\"ltp\":2.0,"), "\(tick)")
            }
            await reader.close()
        }
    }

    @Test func brokersThatAreNotThere() async throws {
        try await Self.run(externalAs: "beta") { fixture, _ in
            #expect(fixture.pool.brokers == ["alpha", "external"])
            let error = await #expect(throws: FeedError.self) {
                _ = try await fixture.pool.attach(user: "anna", broker: "gamma")
            }
            #expect(error == FeedError(.broker, "Broker adapter not found"))
            #expect(fixture.lines.entries.contains { $0.contains("no adapter for gamma: there is no file") })

            let external = try await fixture.pool.attach(user: "anna", broker: "external")
            let other = try await fixture.pool.attach(user: "bert", broker: "external")
            #expect(external === other && external.broker == "external")
            // Fed from outside as long as no adapter of that name is loaded.
            let standIn = try await fixture.pool.attach(user: "anna", broker: "beta")
            #expect(standIn.broker == "beta" && standIn !== external)
            try await standIn.ready()
            let grant = try await standIn.subscribe([Wish("ANY", .depth, depth: 500, exchange: "WHERE")])[0].result
                .get()
            #expect(grant.depth == 200 && !grant.pending)
            let refused = await standIn.subscribe([Wish("")])[0].result
            #expect(refusal(refused)?.code == .symbolNotFound)
            await fixture.pool.detach(standIn)
            #expect(await fixture.pool.samples().first?.count == 0)
        }
        try await Self.run(externalAs: "alpha") { fixture, broker in
            let session = try await fixture.pool.attach(user: "anna", broker: "alpha")
            #expect(session is BrokerSession, "the adapter is loaded")
            try await session.ready()
            #expect(broker.count == 1)
        }
    }

    @Test func changedCredentialsReachTheSessions() async throws {
        try await Self.run { fixture, broker in
            fixture.vault.set("anna", version: 1, ["user_id": "A"])
            let session = try await fixture.pool.attach(user: "anna", broker: "alpha")
            try await session.ready()
            _ = try await session.subscribe([Wish("INFY")])[0].result.get()
            await fixture.pool.credentialsChanged(user: "bert", broker: "alpha")
            await fixture.pool.credentialsChanged(user: "bert")
            fixture.vault.set("anna", version: 2, ["user_id": "A2"])
            await fixture.pool.credentialsChanged(user: "anna")
            try await broker.calls.waitFor("replay", count: 2) { $0.isSubscribe }
            #expect(broker.calls.count(\.isConnect) == 2)
        }
    }

    @Test func stopEndsWhatIsInFlightAndNothingStartsAfterIt() async throws {
        let fixture = try PoolFixture(["alpha", "beta"])
        for broker in fixture.brokers.values {
            broker.change {
                $0.connect = { _, _ in Int(FH_OK) }
                $0.subscribe = { _, _, _ in Int(FH_OK) }
            }
        }
        let pool = fixture.pool
        try await withThrowingTaskGroup(of: Void.self) { group in
            for user in ["anna", "bert"] {
                for name in ["alpha", "beta"] {
                    let session = try await pool.attach(user: user, broker: name)
                    group.addTask { try? await session.ready() }
                    group.addTask { _ = await session.subscribe([Wish("A"), Wish("B")]) }
                    group.addTask { await pool.detach(session) }
                }
            }
            for broker in fixture.brokers.values {
                try await broker.calls.waitFor("connects", count: 2) { $0.isConnect }
            }
            await pool.stop()
            try await group.waitForAll()
        }
        for broker in fixture.brokers.values { #expect(broker.calls.count(\.isDestroy) == broker.count) }
        await #expect(throws: FeedError.self) { _ = try await pool.attach(user: "anna", broker: "alpha") }
        await #expect(throws: FeedError.self) { _ = try await pool.attach(user: "anna", broker: "external") }
        await pool.stop()
        fixture.bus.stop()
    }
}
