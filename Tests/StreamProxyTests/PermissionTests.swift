import MarketData
import Testing

@testable import StreamProxy

/// What a key does not permit, action by action.
@Suite(.timeLimit(.minutes(1))) struct PermissionTests {
    /// Runs a test with a client of alice's whose key permits only this.
    private func with(
        _ permissions: Permissions, brokers: Set<String> = ["zerodha", "angel"],
        _ body: (House, WireClient) async throws -> Void
    ) async throws {
        try await House.with { house in
            house.directory.add(
                "key", Account(user: "alice", broker: "zerodha", keyID: 9, brokers: brokers, permissions: permissions))
            try await body(house, try await house.client(key: "key"))
        }
    }

    private func subscribe(_ symbol: String, _ exchange: String = "NSE", _ more: String = "") -> String {
        #"{"action":"subscribe","symbol":"\#(symbol)","exchange":"\#(exchange)"\#(more)}"#
    }

    private func entry(_ client: WireClient, _ request: String) async throws -> JSONValue {
        let reply = try await client.reply(to: request)
        guard case .array(let entries) = reply["subscriptions"], let first = entries.first else { return reply }
        return first
    }

    @Test(arguments: [
        ("SBIN", "NSE"), ("RELIANCE:20", "NSE"), ("TC", "NSE"), ("tcs", "NSE"), ("TCS ", "NSE"), ("TCS", "nse"),
        ("TCS", "BSE"), ("*", "NSE"), ("TCS*", "NSE"), ("TCS:20:20", "NSE"), ("TCS:0", "NSE"), (":20", "NSE"),
        ("INFY", "NSE_INDEX"), ("TCS", "NSE "), ("TCS", "NSE_TCS"),
    ])
    func otherInstrumentsAreRefusedUnasked(_ symbol: String, _ exchange: String) async throws {
        try await with(Permissions(exchanges: ["NSE"], symbols: ["TCS", "INF?", "RELIANCEX*"])) { house, client in
            let refused = try await entry(client, subscribe(symbol, exchange))
            #expect(refused["code"] == "NOT_PERMITTED")
            #expect(refused["message"] == "Not permitted by this API key")
            #expect(refused["symbol"] == .string(symbol) && refused["exchange"] == .string(exchange))
            let session = try #require(house.directory.session(of: "alice"))
            #expect(session.takeAsked().isEmpty && session.references.isEmpty)
        }
    }

    @Test(arguments: ["TCS", "TCS:20", "TCS:30", "INFY", "RELIANCEXY"])
    func whatIsPermittedIsServed(_ symbol: String) async throws {
        try await with(Permissions(exchanges: ["NSE"], symbols: ["TCS", "INF?", "RELIANCEX*"])) { _, client in
            let granted = try await entry(client, subscribe(symbol))
            #expect(granted["status"] == "success")
        }
    }

    @Test func oneRequestIsServedInPart() async throws {
        try await with(Permissions(symbols: ["TCS"])) { house, client in
            let reply = try await client.reply(
                to: """
                    {"action":"subscribe","request_id":4,"mode":1,"symbols":[{"symbol":"SBIN","exchange":"NSE"},\
                    {"symbol":"TCS","exchange":"NSE"},{"symbol":"BADTCS","exchange":"NSE"}]}
                    """)
            guard case .array(let entries) = reply["subscriptions"] else { throw WireClient.Closed() }
            #expect(entries.map { $0["code"] } == ["NOT_PERMITTED", nil, "NOT_PERMITTED"])
            #expect(reply["status"] == "partial" && reply["request_id"] == .int(4))
            // Another client's streams are none of its business.
            let other = try await house.client()
            _ = try await other.reply(to: subscribe("SBIN", "NSE", #","mode":1"#))
            house.bus.publish(try house.route("SBIN"), #"{"ltp":1}"#)
            house.bus.publish(try house.route("TCS"), #"{"ltp":2}"#)
            #expect(try await client.json()["data"]?["ltp"] == .int(2))
        }
    }

    @Test func hintsOfTheSessionAreNotPassedOn() async throws {
        try await with(Permissions(symbols: ["BAD*"])) { house, client in
            let session = try #require(house.directory.session(of: "alice"))
            session.hint("; did you mean RELIANCE?")
            let entry = try await entry(client, subscribe("BADX"))
            #expect(entry["code"] == "SYMBOL_NOT_FOUND")
            #expect(entry["message"] == "Symbol BADX not found for exchange NSE")
            let free = try await house.client()
            #expect(
                try await self.entry(free, subscribe("BADX"))["message"]
                    == "Symbol BADX not found for exchange NSE; did you mean RELIANCE?")
        }
    }

    @Test func modes() async throws {
        try await with(Permissions(symbols: ["TCS"], modes: [.ltp])) { _, client in
            let entry = try await entry(client, subscribe("TCS", "NSE", #","mode":"Depth""#))
            #expect(entry["code"] == "NOT_PERMITTED")
            #expect(entry["message"] == "Mode Depth is not permitted by this API key")
            // The instrument comes first: the mode says nothing of one that may not be seen.
            let other = try await self.entry(client, subscribe("SBIN", "NSE", #","mode":"Depth""#))
            #expect(other["message"] == "Not permitted by this API key")
            #expect(try await self.entry(client, subscribe("TCS", "NSE", #","mode":1"#))["status"] == "success")
        }
    }

    @Test func unsubscribingTellsNothing() async throws {
        try await with(Permissions(symbols: ["TCS"])) { _, client in
            for symbol in ["SBIN", "BADX"] {
                let reply = try await client.reply(
                    to: #"{"action":"unsubscribe","symbol":"\#(symbol)","exchange":"NSE"}"#)
                #expect(reply["status"] == "success")
            }
        }
    }

    @Test func orders() async throws {
        try await with(Permissions(orders: false)) { house, client in
            let reply = try await client.reply(to: #"{"action":"subscribe_orders","request_id":"o"}"#)
            #expect(reply["code"] == "NOT_PERMITTED" && reply["request_id"] == "o" && reply["type"] == nil)
            #expect(house.directory.session(of: "alice")?.orders == 0)
            house.bus.publishOrder(user: "alice", "{}")
            #expect(try await client.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
        }
    }

    @Test func ordersOfOtherInstrumentsDoNotCome() async throws {
        try await with(Permissions(exchanges: ["NSE"], symbols: ["TCS"]), brokers: []) { house, client in
            _ = try await client.reply(to: #"{"action":"subscribe_orders"}"#)
            for update in [
                #"{"orderid":"1","symbol":"SBIN","exchange":"NSE"}"#,
                #"{"orderid":"2","symbol":"TCS","exchange":"BSE"}"#,
                #"{"orderid":"3","symbol":"TCS"}"#, #"{"orderid":"4"}"#,
                #"{"orderid":"5","symbol":7,"exchange":"NSE"}"#,
                "[", #"{"orderid":"6","symbol":"T\u0043S","exchange":"NSE"}"#,
            ] {
                house.bus.publishOrder(user: "alice", update)
            }
            #expect(try await client.json()["orderid"] == "6")
            house.bus.publishOrder(user: "bob_k", #"{"orderid":"7","symbol":"TCS","exchange":"NSE"}"#)
            #expect(try await client.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
        }
    }

    @Test func mostInstruments() async throws {
        try await with(Permissions(maxInstruments: 2)) { _, client in
            _ = try await client.reply(to: subscribe("TCS"))
            // Other modes and depths of the same one cost nothing.
            for more in [#","mode":1"#, #","mode":3"#] { _ = try await client.reply(to: subscribe("TCS", "NSE", more)) }
            #expect(try await entry(client, subscribe("TCS:20", "NSE", #","mode":3"#))["status"] == "success")
            #expect(try await entry(client, subscribe("SBIN"))["status"] == "success")
            let full = try await entry(client, subscribe("INFY"))
            #expect(full["code"] == "MAX_CAPACITY_REACHED")
            #expect(
                full["message"] == "This API key permits 2 instruments at a time (2 held); unsubscribe some first")
            // At another broker it is another one.
            let angel = try await entry(client, subscribe("TCS", "NSE", #","broker":"angel""#))
            #expect(angel["code"] == "MAX_CAPACITY_REACHED")
            #expect(try await entry(client, subscribe("TCS"))["status"] == "success", "it has that")
            _ = try await client.reply(to: #"{"action":"unsubscribe","symbol":"TCS","exchange":"NSE"}"#)
            #expect(try await entry(client, subscribe("INFY"))["code"] == "MAX_CAPACITY_REACHED", "TCS:20 is left")
            _ = try await client.reply(to: #"{"action":"unsubscribe","symbol":"TCS:20","exchange":"NSE"}"#)
            #expect(try await entry(client, subscribe("INFY"))["status"] == "success")
            _ = try await client.reply(to: #"{"action":"unsubscribe_all"}"#)
            for symbol in ["A", "B"] { #expect(try await entry(client, subscribe(symbol))["status"] == "success") }
        }
    }

    @Test func brokers() async throws {
        try await with(Permissions(brokers: ["angel"])) { house, client in
            // The key's only broker is the usual one.
            #expect(house.directory.session(of: "alice")?.broker == "angel")
            let brokers = try await client.reply(to: #"{"action":"get_supported_brokers"}"#)
            #expect(brokers["brokers"] == .array(["angel"]) && brokers["count"] == .int(1))
            for broker in ["zerodha", "dhan", "nobody"] {
                let text = JSONValue.string("Broker \(broker) is not permitted by this API key")
                let entry = try await entry(client, subscribe("TCS", "NSE", #","broker":"\#(broker)""#))
                #expect(entry["code"] == "NOT_PERMITTED" && entry["message"] == text)
                for action in ["subscribe_orders", "unsubscribe_orders", "get_broker_info", "unsubscribe_all"] {
                    let reply = try await client.reply(to: #"{"action":"\#(action)","broker":"\#(broker)"}"#)
                    #expect(reply["code"] == "NOT_PERMITTED" && reply["message"] == text, "\(action)")
                }
                let left = try await client.reply(
                    to: #"{"action":"unsubscribe","symbol":"TCS","exchange":"NSE","broker":"\#(broker)"}"#)
                guard case .array(let failed) = left["failed"] else { throw WireClient.Closed() }
                #expect(failed.first?["message"] == text && left["status"] == "error")
            }
            #expect(house.directory.attachments == 1)
        }
    }

    @Test func aKeyForNoBroker() async throws {
        try await House.with { house in
            house.directory.add(
                "key", Account(user: "alice", broker: "zerodha", keyID: 9, permissions: Permissions(brokers: [])))
            let client = try await house.connect()
            let reply = try await client.reply(to: #"{"action":"authenticate","api_key":"key"}"#)
            #expect(reply["code"] == "BROKER_ERROR")
            #expect(reply["message"] == "This API key permits none of the user's brokers")
            #expect(try await client.reply(to: subscribe("TCS"))["code"] == "BROKER_ERROR")
            #expect(try await client.reply(to: #"{"action":"get_broker_info"}"#)["code"] == "BROKER_ERROR")
            #expect(try await client.reply(to: #"{"action":"subscribe_orders"}"#)["code"] == "BROKER_ERROR")
        }
    }

    @Test func anotherKeyWithOtherPermissionsStartsAnew() async throws {
        try await House.with { house in
            house.directory.add(
                "narrow",
                Account(user: "alice", broker: "zerodha", keyID: 9, permissions: Permissions(symbols: ["TCS"])))
            let client = try await house.client()
            _ = try await client.reply(to: subscribe("SBIN", "NSE", #","mode":1"#))
            _ = try await client.reply(to: #"{"action":"subscribe_orders"}"#)
            let session = try #require(house.directory.session(of: "alice"))
            _ = try await client.reply(to: #"{"action":"authenticate","api_key":"narrow"}"#)
            #expect(session.references.isEmpty && session.orders == 0 && house.bus.interest.isEmpty)
            #expect(house.directory.attachments == 1)
        }
    }
}
