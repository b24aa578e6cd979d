import CFeedhostABI
import MarketData
import TestSupport
import Testing

@testable import Adapters
@testable import Secrets
@testable import Sessions
@testable import Transport

/// States of connections, what ends them, and what clients and the log are told of it.
@Suite struct OutageTests {
    struct Case: Sendable, CustomStringConvertible {
        let description: String
        /// `FH_WHY_*` of the event that ends the connection.
        let reason: Int
        var message = ""
        let word: Outage.Reason
        /// In the log and in the notice.
        let sentence: String
    }

    static let cases = [
        Case(
            description: "dropped", reason: Int(FH_WHY_NETWORK), word: .network, sentence: "the connection was lost"),
        Case(
            description: "evicted", reason: Int(FH_WHY_REPLACED), message: "a login from 10.1.2.3", word: .replaced,
            sentence: "another session of this account took over: a login from 10.1.2.3"),
        Case(
            description: "token refused", reason: Int(FH_WHY_AUTH_EXPIRED), word: .credentials,
            sentence: "the access token has expired"),
        Case(
            description: "too fast", reason: Int(FH_WHY_RATE_LIMITED), word: .rateLimited,
            sentence: "the broker has asked us to slow down"),
        Case(
            description: "too many", reason: Int(FH_WHY_CONNECTION_LIMIT), word: .connectionLimit,
            sentence: "the account has too many connections"),
        Case(
            description: "protocol", reason: Int(FH_WHY_PROTOCOL), word: .protocolViolation,
            sentence: "the broker sent what its protocol does not allow"),
        Case(
            description: "maintenance", reason: Int(FH_WHY_MAINTENANCE), word: .maintenance,
            sentence: "the broker is closed for maintenance"),
    ]

    private static func slow(_ change: (inout Declared) -> Void = { _ in }) -> Declared {
        var declared = Declared()
        // Long enough that nothing comes back by itself while a test looks.
        declared.backoffBase = 600_000
        declared.backoffMax = 600_000
        change(&declared)
        return declared
    }

    /// Whatever ends an open connection: one notice (when: ``OutageNoticeTests``), one log line, the state, and the word for newcomers.
    @Test(arguments: cases) func anOpenConnectionEnds(_ given: Case) async throws {
        try await SessionFixture.run(Self.slow()) { fixture, session in
            try await session.subscribe("A")
            try await session.subscribe("B")
            #expect(session.trouble == nil)
            let before = fixture.lines.entries.count
            fixture.broker.instance?.report(
                FH_CONN_DISCONNECTED, 1, reason: given.reason, message: given.message)
            try await fixture.events.waitFor("the notice") { $0.code == .disconnected }
            let event = try #require(fixture.events.entries.first)
            let outage = try #require(event.outage)
            #expect(
                outage.extent == .init(reason: given.word, connections: 1, down: 1, stopsOrders: false))
            #expect(outage.instruments == 2)
            #expect(abs(outage.since - WallClock.milliseconds) < 15_000)
            #expect(try #require(outage.nextAttempt) > outage.since)
            #expect(event.message.hasPrefix("scripted sends nothing now; your subscriptions are kept. "))
            #expect(event.message.contains(given.sentence))
            #expect(event.message.contains("Connecting again in "))
            #expect(await session.status() == "connecting")
            let pending = try await session.subscribe("C").pending
            #expect(pending)
            #expect(session.trouble?.repeats(event) == true, "who comes now learns of it")
            let lines = fixture.lines.entries.dropFirst(before).filter {
                $0.hasPrefix("warning ") || $0.hasPrefix("error ")
            }
            #expect(lines.count == 1, "one failure is one line")
            #expect(lines.first?.contains(given.sentence) == true)
            #expect(fixture.events.entries.count == 1)
        }
    }

    @Test func aConnectionThatWasNeverMade() async throws {
        try await SessionFixture.run(Self.slow(), connected: false, patience: .milliseconds(300)) { fixture, session in
            fixture.broker.change { $0.connect = { _, _ in Int(FH_E_NETWORK) } }
            try await session.ready()
            try await fixture.events.waitFor("the notice") { $0.code == .disconnected }
            let pending = try await session.subscribe("A").pending
            #expect(pending)
            #expect(session.trouble?.outage?.extent.down == 1)
        }
    }

    @Test func aConnectionThatTakesLong() async throws {
        try await SessionFixture.run(
            Self.slow(), connected: false, patience: .milliseconds(300), slowConnect: .milliseconds(400)
        ) { fixture, session in
            fixture.broker.change { $0.connect = { _, _ in Int(FH_OK) } }
            try await session.ready()
            try await fixture.events.waitFor("the notice") {
                $0.outage?.extent.reason == .connecting
            }
            #expect(fixture.events.entries.first?.message.contains("Connecting now") == true)
            fixture.broker.instance?.report(FH_CONN_READY, 1)
            try await fixture.events.waitFor("the end") { $0.code == .connected }
            #expect(session.trouble == nil)
        }
    }

    @Test func itsEndIsToldAndNothingTwice() async throws {
        var declared = Declared()
        (declared.backoffBase, declared.backoffMax) = (1_000, 1_000)
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("A")
            fixture.broker.instance?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            try await fixture.events.waitFor("the end") { $0.code == .connected }
            #expect(fixture.events.entries.map(\.code) == [.disconnected, .connected])
            #expect(session.trouble == nil)
            #expect(fixture.events.entries.last?.outage == nil)
        }
    }

    @Test func oneOfThreeConnections() async throws {
        let declared = Self.slow { $0.links = [Declared.link(quota: 2, maxLinks: 3)] }
        try await SessionFixture.run(declared) { fixture, session in
            for symbol in ["A", "B", "C", "D", "E"] { try await session.subscribe(symbol) }
            #expect(fixture.broker.count == 3)
            // What is wanted while a connection is being made goes out together.
            try await eventually("all serve") {
                (1...3).reduce(0) { $0 + (fixture.broker[$1]?.served.count ?? 0) } == 5
            }
            await session.settleDown()
            fixture.broker[2]?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            try await fixture.events.waitFor("the notice") { $0.code == .disconnected }
            let event = try #require(fixture.events.entries.first)
            #expect(event.outage?.extent == .init(reason: .network, connections: 3, down: 1, stopsOrders: false))
            #expect(event.outage?.instruments == 2)
            #expect(
                event.message.hasPrefix("1 of 3 connections to scripted is down, 2 instruments get nothing; "))
            #expect(await session.status() == "connected")
            // The others follow: that is told, too.
            fixture.broker[1]?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            fixture.broker[3]?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            try await fixture.events.waitFor("the second notice") {
                $0.outage?.extent.down == 3
            }
            #expect(fixture.events.entries.count == 2, "two that break together are one notice")
            #expect(fixture.events.entries.last?.outage?.instruments == 5)
        }
    }

    @Test func theConnectionForOrders() async throws {
        let declared = Self.slow {
            $0.orders = .ownSocket
            $0.links = [Declared.link(), Declared.link(name: "orders", carries: UInt32(FH_CARRIES_ORDERS))]
        }
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("A")
            try await session.startOrders()
            try await fixture.called("orders", session) { $0.isOrders }
            fixture.broker[2]?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_NETWORK)
            try await fixture.events.waitFor("the notice") { $0.code == .disconnected }
            let event = try #require(fixture.events.entries.first)
            #expect(event.outage?.extent == .init(reason: .network, connections: 2, down: 1, stopsOrders: true))
            #expect(event.outage?.instruments == 0)
            #expect(event.message.hasPrefix("scripted sends no order updates now; "))
            // Nobody wants them any more: then it is no outage.
            await session.stopOrders()
            try await fixture.events.waitFor("the end") { $0.code == .connected }
        }
    }

    @Test func aConnectionForOrdersThatIsGivenUp() async throws {
        let declared = Self.slow {
            $0.orders = .ownSocket
            $0.links = [Declared.link(), Declared.link(name: "orders", carries: UInt32(FH_CARRIES_ORDERS))]
        }
        try await SessionFixture.run(declared) { fixture, session in
            try await session.startOrders()
            try await fixture.called("orders", session) { $0.isOrders }
            fixture.broker[2]?.report(FH_CONN_FAILED, 1, reason: FH_WHY_PROTOCOL)
            try await fixture.events.waitFor("the notice") { $0.code == .disconnected }
            let event = try #require(fixture.events.entries.first)
            #expect(event.outage?.extent.stopsOrders == true)
            #expect(event.outage?.nextAttempt == nil)
            #expect(event.message.contains("not tried again before the credentials change"))
        }
    }

    @Test func aSilentBroker() async throws {
        let declared = Self.slow { $0.dataSilence = 1_200 }
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("A")
            try await fixture.events.waitFor("the notice") { $0.code == .disconnected }
            let outage = try #require(fixture.events.entries.first?.outage)
            #expect(outage.extent.reason == .silence)
            #expect(WallClock.milliseconds - outage.since > 1_200, "since it was last heard")
            let lines = fixture.lines.entries.filter { $0.hasPrefix("warning ") }
            #expect(lines.count == 1)
            #expect(lines.first?.contains("no data for ") == true)
        }
    }

    @Test func refusedForGoodGoesFurther() async throws {
        var declared = Declared()
        (declared.backoffBase, declared.backoffMax) = (1_000, 1_000)
        try await SessionFixture.run(declared) { fixture, session in
            try await session.subscribe("A")
            fixture.broker.change {
                $0.connect = { instance, generation in
                    instance.report(FH_CONN_DISCONNECTED, generation, reason: FH_WHY_AUTH_EXPIRED)
                    return Int(FH_OK)
                }
            }
            fixture.broker.instance?.report(FH_CONN_DISCONNECTED, 1, reason: FH_WHY_AUTH_EXPIRED)
            try await fixture.events.waitFor("the end of it") { $0.code == .loggedOut }
            #expect(fixture.events.entries.map(\.code) == [.disconnected, .loggedOut])
            #expect(session.trouble?.code == .loggedOut)
            fixture.broker.change { $0.connect = ScriptedBroker.Script.accepting }
            fixture.vault.set(version: 2, ["access_token": "new"])
            await session.credentialsChanged()
            try await fixture.events.waitFor("back") { $0.code == .connected }
            #expect(session.trouble == nil)
            #expect(fixture.events.entries.map(\.code) == [.disconnected, .loggedOut, .connected])
        }
    }

    /// What the transport knows and the adapter does not.
    @Test func sentencesOfSockets() {
        func event(_ why: Int, _ message: String, _ close: WebSocketClose, hasOpened: Bool) -> String {
            let end = SocketEnd(
                id: 1, url: try? TransportURL("ws://10.0.0.9:81/x?token=abc"), hasOpened: hasOpened, close)
            return ConnectionEvent(
                state: Int(FH_CONN_DISCONNECTED), reason: why, generation: 1, message: message
            ).explained(by: end, without: Redaction()).sentence
        }
        let refused = WebSocketClose(
            failure: TransportFailure(FH_E_NETWORK, "ws://10.0.0.9:81: Connection refused"))
        let never = "could not connect to 10.0.0.9:81: connection refused"
        #expect(event(Int(FH_WHY_NETWORK), "", refused, hasOpened: false) == never)
        #expect(event(Int(FH_WHY_NETWORK), "the socket closed with code 1006", refused, hasOpened: false) == never)
        let broken = WebSocketClose()
        #expect(
            event(Int(FH_WHY_NETWORK), "", broken, hasOpened: true)
                == "the connection was lost: 10.0.0.9:81 ended it without a close frame")
        let evicted = WebSocketClose(code: 1_000, reason: "logged in\nfrom 10.1.2.3")
        #expect(
            event(Int(FH_WHY_REPLACED), "the session was closed", evicted, hasOpened: true)
                == "another session of this account took over: the session was closed; the broker said: \"logged in from 10.1.2.3\""
        )
        #expect(
            event(Int(FH_WHY_NETWORK), "", WebSocketClose(code: 1_001, reason: "bye"), hasOpened: true)
                == "the connection was lost: 10.0.0.9:81 closed it with code 1001: \"bye\"")
    }
}
