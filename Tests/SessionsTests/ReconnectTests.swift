import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Sessions

@Suite struct ReconnectTests {
    @Test func whatIsAskedWhileConnectingIsPendingAndSentOnReady() async throws {
        try await SessionFixture.run(connected: false) { fixture, session in
            fixture.broker.change { $0.connect = { _, _ in Int(FH_OK) } }
            async let ready: Void = session.ready()
            try await fixture.broker.calls.waitFor("connect") { $0.isConnect }
            let grant = try await session.subscribe("INFY", .quote)
            #expect(grant.pending)
            #expect(await session.status() == "connecting")
            #expect(fixture.sent.isEmpty)
            fixture.broker.instance?.report(FH_CONN_READY, 1)
            try await ready
            #expect(fixture.sent == [["NSE:INFY/Quote/0"]])
            #expect(await session.status() == "connected")
            let isPending = try await session.subscribe("INFY", .quote).pending
            #expect(!isPending)
        }
    }

    @Test func aLostConnectionComesBackWithFreshCredentialsAndTheWantedSet() async throws {
        try await SessionFixture.run(connected: false) { fixture, session in
            fixture.vault.set(version: 1, ["access_token": "monday", "user_id": "A1"])
            try await session.ready()
            let gone = try await session.subscribe("GONE")
            try await session.subscribe("INFY", .depth, depth: 20)
            try await session.subscribe("TCS", .ltp)
            // The next connect waits for the test.
            fixture.broker.change { $0.connect = { _, _ in Int(FH_OK) } }
            fixture.vault.set(version: 2, ["access_token": "tuesday", "user_id": "A1"])
            fixture.broker.instance?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            try await fixture.broker.calls.waitFor("second connect", count: 2) { $0.isConnect }
            #expect(
                fixture.broker.calls.entries.filter(\.isConnect) == [
                    .connect(instance: 1, generation: 1, version: 1, ["access_token": "monday", "user_id": "A1"]),
                    .connect(instance: 1, generation: 2, version: 2, ["access_token": "tuesday", "user_id": "A1"]),
                ])
            // What changes meanwhile counts.
            await session.unsubscribe([gone.route])
            let isPending = try await session.subscribe("SBIN").pending
            #expect(isPending)
            let before = fixture.sent.count
            let instance = try #require(fixture.broker.instance)
            #expect(instance.served.isEmpty)
            // Events of the connection that is gone change nothing.
            instance.report(FH_CONN_READY, 1)
            instance.report(FH_CONN_FAILED, 1, reason: FH_WHY_AUTH_REJECTED)
            await session.settleDown()
            #expect(await session.status() == "connecting")
            #expect(fixture.sent.count == before)
            instance.report(FH_CONN_READY, 2)
            await session.settleDown()
            #expect(fixture.sent.count == before + 1)
            #expect(fixture.sent.last == ["NSE:INFY/Depth/20", "NSE:SBIN/LTP/0", "NSE:TCS/LTP/0"])
            #expect(Set(instance.served.values.map(\.name)) == ["NSE:INFY", "NSE:SBIN", "NSE:TCS"])
            #expect(fixture.broker.calls.count(\.isUnsubscribe) == 0)
        }
    }

    @Test func disconnectIsCalledBeforeEveryFurtherConnect() async throws {
        try await SessionFixture.run(connected: false) { fixture, session in
            fixture.broker.change {
                $0.connects = [
                    { _, _ in Int(FH_E_NETWORK) },
                    { instance, generation in
                        instance.report(FH_CONN_DISCONNECTED, generation, reason: FH_WHY_NETWORK)
                        return Int(FH_OK)
                    },
                ]
            }
            try await session.ready()
            // On a busy machine the time that a login may take is over before.
            try await fixture.broker.calls.waitFor("the third connect", count: 3) { $0.isConnect }
            try await eventually("connected") { await session.status() == "connected" }
            let calls = fixture.broker.calls.entries
            #expect(calls.count(where: \.isConnect) == 3)
            for (earlier, later) in zip(calls, calls.dropFirst()) where later.isConnect {
                #expect(!earlier.isConnect)
            }
            #expect(await session.status() == "connected")
        }
    }

    @Test func whatIsInFlightWhenTheConnectionIsLostIsPending() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.change { $0.subscribes = [{ _, _, _ in Int(FH_OK) }] }
            async let result = session.grants([Wish("INFY")])
            try await fixture.broker.calls.waitFor("subscribe") { $0.isSubscribe }
            try await eventually("waiters") { await session.waiterCount >= 1 }
            fixture.broker.instance?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            let isPending = try await result[0].get().pending
            #expect(isPending)
            try await fixture.broker.calls.waitFor("replay", count: 2) { $0.isSubscribe }
            #expect(fixture.sent.last == ["NSE:INFY/LTP/0"])
        }
    }

    /// The adapter knows earlier than the session that the connection is gone: the event is on its way.
    @Test func whatIsAskedBetweenTheEndAndItsEventIsPending() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.change {
                $0.subscribes = [
                    { instance, _, _ in
                        instance.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
                        return Int(FH_E_STATE)
                    }
                ]
            }
            let isPending = try await session.subscribe("INFY").pending
            #expect(isPending)
            try await fixture.broker.calls.waitFor("replay", count: 2) { $0.isSubscribe }
            #expect(fixture.sent.last == ["NSE:INFY/LTP/0"])
        }
    }

    @Test func theBrokersWishForAPauseIsKept() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.change { $0.connect = { _, _ in Int(FH_OK) } }
            fixture.broker.instance?.report(
                FH_CONN_DISCONNECTED, 1, reason: FH_WHY_RATE_LIMITED, retryAfter: 3_600_000)
            await session.settleDown()
            #expect(await session.status() == "connecting")
            try await fixture.lines.waitFor("the wait") { $0.contains("connecting again in 3600000 ms") }
            // The account's limit does not shorten it.
            #expect(fixture.broker.calls.count(\.isConnect) == 1)
        }
    }

    @Test(arguments: [(0, 10_000), (2_500, 2_500), (40_000, 40_000)] as [(UInt32, Int)])
    func tooManyConnectionsAreAReasonToWait(retryAfter: UInt32, wait: Int) async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.instance?.report(
                FH_CONN_DISCONNECTED, 1, reason: FH_WHY_CONNECTION_LIMIT, retryAfter: retryAfter)
            try await fixture.lines.waitFor("the wait") {
                $0.contains("the account has too many connections; connecting again in \(wait) ms")
            }
            #expect(await session.status() == "connecting")
        }
    }

    @Test func silenceReconnects() async throws {
        var declared = Declared()
        declared.dataSilence = 1_200
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("INFY")
            try await fixture.broker.calls.waitFor("second connect", count: 2) { $0.isConnect }
            try await fixture.broker.calls.waitFor("replay", count: 2) { $0.isSubscribe }
            try await fixture.lines.waitFor("the reason") { $0.contains("no data for") }
        }
    }

    @Test func aRequestedEndIsNoLoss() async throws {
        try await SessionFixture.run { fixture, session in
            fixture.broker.instance?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_REQUESTED)
            await session.settleDown()
            #expect(await session.status() == "connected")
        }
    }
}
