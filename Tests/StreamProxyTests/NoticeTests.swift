import MarketData
import Testing

@testable import StreamProxy

/// What clients are told of their account and their session.
@Suite(.timeLimit(.minutes(1))) struct NoticeTests {
    @Test func sessionsTellTheirClientsAndNobodyElse() async throws {
        try await House.with { house in
            let (alice, bob) = (try await house.client(), try await house.client(key: "key-bob"))
            let session = try #require(house.directory.session(of: "alice"))
            house.proxy.announce(
                SessionEvent(session: session.id, broker: "zerodha", code: .loggedOut, message: "log in again"))
            #expect(
                try await alice.next().text
                    == #"{"type":"notice","code":"BROKER_LOGGED_OUT","message":"log in again","broker":"zerodha"}"#)
            house.proxy.announce(
                SessionEvent(session: session.id, broker: "zerodha", code: .connected, message: "back"))
            #expect(try await alice.json()["code"] == "BROKER_CONNECTED")
            #expect(try await bob.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
        }
    }

    private static func outage(_ session: UInt32, down: Int = 1, since: Int = 1_000, next: Int? = 3_000) -> SessionEvent
    {
        SessionEvent(
            session: session, broker: "zerodha", code: .disconnected, message: "gone",
            outage: Outage(
                extent: .init(reason: .network, connections: 3, down: down, stopsOrders: false), since: since,
                nextAttempt: next, instruments: 40))
    }

    @Test func anOutageSaysHowMuchAndSinceWhen() async throws {
        try await House.with { house in
            let alice = try await house.client()
            let session = try #require(house.directory.session(of: "alice"))
            house.proxy.announce(Self.outage(session.id))
            #expect(
                try await alice.next().text
                    == #"{"type":"notice","code":"BROKER_DISCONNECTED","message":"gone","broker":"zerodha","reason":"network","since":1000,"next_attempt":3000,"connections":3,"connections_down":1,"instruments":40,"orders_stopped":false}"#
            )
            // The same again, with another attempt, is no news; another extent is.
            house.proxy.announce(Self.outage(session.id, next: 9_000))
            house.proxy.announce(Self.outage(session.id, down: 3, next: nil))
            let notice = try await alice.json()
            #expect(notice["connections_down"]?.int == 3 && notice["next_attempt"] == nil)
            house.proxy.announce(
                SessionEvent(session: session.id, broker: "zerodha", code: .connected, message: "back"))
            #expect(try await alice.json()["code"] == "BROKER_CONNECTED")
        }
    }

    @Test func whoComesDuringAnOutageLearnsOfItBehindTheAnswer() async throws {
        try await House.with { house in
            let first = try await house.client()
            let session = try #require(house.directory.session(of: "alice"))
            let event = Self.outage(session.id)
            session.fall(into: event)
            let late = try await house.connect()
            try await late.send(#"{"action":"authenticate","api_key":"key-alice"}"#)
            #expect(try await late.json()["type"] == "auth")
            #expect(try await late.json()["code"] == "BROKER_DISCONNECTED")
            // The notice that was on its way meanwhile says the same, and is not said twice.
            house.proxy.announce(event)
            #expect(try await first.json()["code"] == "BROKER_DISCONNECTED")
            #expect(try await late.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
            // Nor with the same key again on the same socket.
            #expect(
                try await late.reply(to: #"{"action":"authenticate","api_key":"key-alice"}"#)["type"] == "auth")
            #expect(try await late.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
        }
    }

    @Test func whoSubscribesAtAFurtherBrokerLearnsOfItsOutage() async throws {
        try await House.with { house in
            house.directory.add("key", Account(user: "alice", broker: "zerodha", keyID: 9, brokers: ["angel"]))
            let client = try await house.client(key: "key")
            let angel = house.directory.session(user: "alice", broker: "angel")
            angel.fall(into: Self.outage(angel.id))
            let reply = try await client.reply(
                to: #"{"action":"subscribe","symbol":"TCS","exchange":"NSE","broker":"angel"}"#)
            #expect(reply["type"] == "subscribe")
            #expect(try await client.json()["code"] == "BROKER_DISCONNECTED")
        }
    }

    @Test func furtherBrokersToo() async throws {
        try await House.with { house in
            house.directory.add("key", Account(user: "alice", broker: "zerodha", keyID: 9, brokers: ["angel"]))
            let client = try await house.client(key: "key")
            let angel = house.directory.session(user: "alice", broker: "angel")
            let event = SessionEvent(session: angel.id, broker: "angel", code: .stopped, message: "closed")
            house.proxy.announce(event)
            _ = try await client.reply(
                to: #"{"action":"subscribe","symbol":"TCS","exchange":"NSE","broker":"angel"}"#)
            house.proxy.announce(event)
            #expect(try await client.json()["code"] == "BROKER_STOPPED")
        }
    }

    @Test func anExpiredKeyEndsItsClients() async throws {
        let now = ManualClock(1_000)
        try await House.with({ $0.clock = { now.time } }) { house in
            house.directory.add("key", Account(user: "alice", broker: "zerodha", keyID: 9, expires: 2_000))
            let client = try await house.client(key: "key")
            let other = try await house.client()
            now.set(1_999)
            #expect(try await client.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
            now.set(2_000)
            let end = try await client.closeFrame()
            #expect(end.code == 4503 && end.reason == "API key expired")
            #expect(try await other.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
            let late = try await house.connect()
            let reply = try await late.reply(to: #"{"action":"authenticate","api_key":"key"}"#)
            #expect(reply["code"] == "AUTHENTICATION_ERROR" && reply["message"] == "API key expired")
        }
    }

    @Test func whatExpiresWhileItIsCheckedDoesNotComeIn() async throws {
        let now = ManualClock(1_000)
        try await House.with({ $0.clock = { now.time } }) { house in
            house.directory.add("key", Account(user: "alice", broker: "zerodha", keyID: 9, expires: 2_000))
            let client = try await house.connect()
            house.directory.gate.close()
            try await client.send(#"{"action":"authenticate","api_key":"key"}"#)
            await house.directory.gate.arrival()
            now.set(2_000)
            house.directory.gate.open()
            #expect(try await client.json()["code"] == "AUTHENTICATION_ERROR")
        }
    }

    @Test func permissionsThatChangeWhileAKeyIsCheckedCount() async throws {
        try await House.with { house in
            house.directory.add("key", Account(user: "alice", broker: "zerodha", keyID: 9))
            let (client, old) = (try await house.connect(), try await house.client(key: "key"))
            house.directory.lateGate.close()
            try await client.send(#"{"action":"authenticate","api_key":"key"}"#)
            await house.directory.lateGate.arrival()
            house.directory.add(
                "key", Account(user: "alice", broker: "zerodha", keyID: 9, permissions: Permissions(symbols: [])))
            house.proxy.apply(AccountChange(.keyChanged(keyID: 9)))
            // Who was in is sent away, which also shows that the change has arrived.
            #expect(try await old.closeFrame().code == 4001)
            house.directory.lateGate.open()
            #expect(try await client.json()["status"] == "success")
            let reply = try await client.reply(to: #"{"action":"subscribe","symbol":"TCS","exchange":"NSE"}"#)
            guard case .array(let entries) = reply["subscriptions"] else { throw WireClient.Closed() }
            #expect(entries.first?["code"] == "NOT_PERMITTED")
        }
    }
}
