import MarketData
import Testing

@testable import StreamProxy

/// Clients that are connected when their user gets another broker.
@Suite(.timeLimit(.minutes(1))) struct NewBrokerTests {
    private func subscribe(_ symbol: String, at broker: String? = nil) -> String {
        let more = broker.map { #","broker":"\#($0)""# } ?? ""
        return #"{"action":"subscribe","symbol":"\#(symbol)","exchange":"NSE","mode":1\#(more)}"#
    }

    private func with(
        _ brokers: Set<String>, _ permissions: Permissions = .everything,
        _ body: (House, WireClient) async throws -> Void
    ) async throws {
        try await House.with { house in
            house.directory.add(
                "key",
                Account(user: "alice", broker: "zerodha", keyID: 9, brokers: brokers, permissions: permissions))
            let client = try await house.connect()
            _ = try await client.reply(to: #"{"action":"authenticate","api_key":"key"}"#)
            try await body(house, client)
        }
    }

    private func entry(_ reply: JSONValue) -> JSONValue? {
        if case .array(let entries) = reply["subscriptions"] { entries.first } else { nil }
    }

    /// When this returns the change has arrived: a loop looks at its sockets first, and then does what it was told.
    private func change(_ house: House, _ client: WireClient, _ brokers: String...) async throws {
        house.proxy.apply(AccountChange(.brokersChanged(user: "alice", brokers: Set(brokers))))
        _ = try await client.reply(to: #"{"action":"ping"}"#)
    }

    @Test func itCanBeNamedAtOnce() async throws {
        try await with(["zerodha"]) { house, client in
            _ = try await client.reply(to: subscribe("SBIN"))
            let bob = try await house.client(key: "key-bob")
            #expect(entry(try await client.reply(to: subscribe("TCS", at: "angel")))?["code"] == "NOT_PERMITTED")
            try await change(house, client, "zerodha", "angel")
            #expect(try await client.reply(to: subscribe("TCS", at: "angel"))["status"] == "success")
            // What was there before goes on, and the default too.
            #expect(try await client.reply(to: subscribe("INFY"))["broker"] == "zerodha")
            house.bus.publish(try house.route("SBIN"), #"{"ltp":1}"#)
            #expect(try await client.json()["symbol"] == "SBIN")
            house.bus.publish(try house.route("TCS", broker: "angel"), #"{"ltp":2}"#)
            #expect(try await client.json()["broker"] == "angel")
            // Nobody else's.
            #expect(entry(try await bob.reply(to: subscribe("TCS", at: "zerodha")))?["code"] == "NOT_PERMITTED")
            // The same key again finds nothing new.
            house.directory.add(
                "key", Account(user: "alice", broker: "zerodha", keyID: 9, brokers: ["zerodha", "angel"]))
            _ = try await client.reply(to: #"{"action":"authenticate","api_key":"key"}"#)
            house.bus.publish(try house.route("SBIN"), #"{"ltp":3}"#)
            #expect(try await client.json()["symbol"] == "SBIN")
        }
    }

    @Test func theKeyMustPermitIt() async throws {
        try await with(["zerodha"], Permissions(brokers: ["zerodha"])) { house, client in
            let before = try await client.reply(to: subscribe("TCS", at: "angel"))
            try await change(house, client, "zerodha", "angel")
            #expect(try await client.reply(to: subscribe("TCS", at: "angel")) == before)
            for action in ["get_broker_info", "subscribe_orders", "unsubscribe_all"] {
                let reply = try await client.reply(to: #"{"action":"\#(action)","broker":"angel"}"#)
                #expect(reply["message"] == "Broker angel is not permitted by this API key")
            }
        }
    }

    /// The key permits none of the brokers that the user has at first.
    @Test func itBecomesTheDefaultOfWhoHadNone() async throws {
        try await with(["zerodha"], Permissions(brokers: ["angel"])) { house, client in
            #expect(try await client.reply(to: subscribe("TCS"))["code"] == "BROKER_ERROR")
            try await change(house, client, "zerodha", "angel")
            let info = try await client.reply(to: #"{"action":"get_broker_info"}"#)
            #expect(info["broker"] == "angel" && info["adapter_status"] == "connected")
            #expect(house.directory.attachments == 0, "looking holds nothing")
            let ack = try await client.reply(to: subscribe("TCS"))
            #expect(ack["status"] == "success" && ack["broker"] == "angel")
            house.bus.publish(try house.route("TCS", broker: "angel"), #"{"ltp":2}"#)
            #expect(try await client.json()["data"]?["ltp"] == .int(2))
            let gone = try await client.reply(to: #"{"action":"unsubscribe","symbol":"TCS","exchange":"NSE"}"#)
            #expect(gone["broker"] == "angel" && house.directory.attachments == 1, "the default's session stays")
            #expect(try await client.reply(to: #"{"action":"subscribe_orders"}"#)["status"] == "success")
            #expect(house.directory.session(of: "alice", at: "angel")?.orders == 1)
        }
    }

    /// What fails when it is first wanted is an error of those entries, and is tried again.
    @Test func aNewDefaultThatFails() async throws {
        try await with(["zerodha"], Permissions(brokers: ["dhan"])) { house, client in
            house.directory.session(user: "alice", broker: "dhan").refuse(FeedError(.brokerConnection, "no token"))
            try await change(house, client, "zerodha", "dhan")
            let refused = try await client.reply(to: subscribe("TCS"))
            #expect(entry(refused)?["code"] == "BROKER_CONNECTION_ERROR")
            house.directory.session(user: "alice", broker: "dhan").refuse(nil)
            #expect(try await client.reply(to: subscribe("TCS"))["status"] == "success")
        }
    }

    @Test func aDefaultStaysWhatItIs() async throws {
        try await with(["zerodha", "dhan"], Permissions(brokers: ["angel", "dhan"])) { house, client in
            #expect(try await client.reply(to: subscribe("SBIN"))["broker"] == "dhan")
            try await change(house, client, "zerodha", "dhan", "angel")
            #expect(try await client.reply(to: subscribe("TCS"))["broker"] == "dhan")
            #expect(try await client.reply(to: subscribe("TCS", at: "angel"))["broker"] == "angel")
            _ = try await client.reply(to: #"{"action":"unsubscribe_all"}"#)
            #expect(house.directory.attachments == 1)
        }
    }

    @Test func ordersOfANewBrokerComeWhenTheyAreAskedFor() async throws {
        try await with(["zerodha"]) { house, client in
            _ = try await client.reply(to: #"{"action":"subscribe_orders"}"#)
            try await change(house, client, "zerodha", "angel")
            func publish() {
                for broker in ["angel", "zerodha"] {
                    house.bus.publishOrder(user: "alice", #"{"broker":"\#(broker)"}"#)
                }
            }
            publish()
            #expect(try await client.json()["broker"] == "zerodha")
            _ = try await client.reply(to: #"{"action":"subscribe_orders","broker":"angel"}"#)
            publish()
            #expect(try await client.json()["broker"] == "angel")
            #expect(try await client.json()["broker"] == "zerodha")
        }
    }

    @Test func aBrokerThatGoesCanBeLeft() async throws {
        try await with(["zerodha", "angel"]) { house, client in
            _ = try await client.reply(to: subscribe("SBIN", at: "angel"))
            try await change(house, client, "zerodha")
            let left = try await client.reply(
                to: #"{"action":"unsubscribe","symbol":"SBIN","exchange":"NSE","broker":"angel"}"#)
            #expect(left["status"] == "success" && house.directory.attachments == 1)
            try await change(house, client, "zerodha")
            #expect(entry(try await client.reply(to: subscribe("SBIN", at: "angel")))?["code"] == "NOT_PERMITTED")
        }
    }

    /// A valid key of a user without any broker: it counts as soon as there is one.
    @Test func whoHadNoBrokerAtAll() async throws {
        try await House.with { house in
            let client = try await house.connect()
            let reply = try await client.reply(to: #"{"action":"authenticate","api_key":"key-revoked"}"#)
            #expect(reply["code"] == "BROKER_ERROR")
            #expect(try await client.reply(to: subscribe("SBIN"))["message"] == "Broker adapter not found")
            #expect(house.directory.asked == 1, "nothing has changed: nobody is asked")
            try await change(house, client, "zerodha")
            #expect(try await client.reply(to: subscribe("SBIN"))["message"] == "Broker adapter not found")
            #expect(house.directory.asked == 2)
            house.directory.add("key-revoked", Account(user: "alice", broker: "zerodha", keyID: 7))
            try await change(house, client, "zerodha")
            // Requests that come back to back wait for it.
            for symbol in ["SBIN", "TCS"] { try await client.send(subscribe(symbol)) }
            for _ in 0..<2 { #expect(try await client.json()["status"] == "success") }
            #expect(house.directory.asked == 3)
            house.bus.publish(try house.route("SBIN"), #"{"ltp":1}"#)
            #expect(try await client.json()["symbol"] == "SBIN")
            // From now on it is a client like any other.
            house.proxy.apply(AccountChange(.keyRevoked(keyID: 7)))
            #expect(try await client.closeFrame().code == 4503)
        }
    }

    @Test func whoLeavesWhileTheKeyIsLookedAt() async throws {
        try await House.with { house in
            let client = try await house.connect()
            _ = try await client.reply(to: #"{"action":"authenticate","api_key":"key-revoked"}"#)
            house.directory.add("key-revoked", Account(user: "alice", broker: "zerodha", keyID: 7))
            try await change(house, client, "zerodha")
            house.directory.gate.close()
            try await client.send(subscribe("SBIN"))
            await house.directory.gate.arrival()
            await client.close()
            house.directory.gate.open()
        }
    }
}
