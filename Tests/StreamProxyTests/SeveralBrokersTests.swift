import MarketData
import Testing

@testable import StreamProxy

/// One user on several brokers, and several users on one.
@Suite(.timeLimit(.minutes(1))) struct SeveralBrokersTests {
    private func with(_ body: (House, WireClient) async throws -> Void) async throws {
        try await House.with { house in
            house.directory.add(
                "key", Account(user: "alice", broker: "zerodha", keyID: 9, brokers: ["zerodha", "angel", "dhan"]))
            try await body(house, try await house.client(key: "key"))
        }
    }

    private func subscribe(_ symbol: String, at broker: String? = nil, mode: Int = 1) -> String {
        let more = broker.map { #","broker":"\#($0)""# } ?? ""
        return #"{"action":"subscribe","symbol":"\#(symbol)","exchange":"NSE","mode":\#(mode)\#(more)}"#
    }

    private func leave(_ symbol: String, at broker: String? = nil) -> String {
        let more = broker.map { #","broker":"\#($0)""# } ?? ""
        return #"{"action":"unsubscribe","symbol":"\#(symbol)","exchange":"NSE"\#(more)}"#
    }

    @Test func framesSayWhereTheyAreFrom() async throws {
        try await with { house, client in
            let ack = try await client.reply(to: subscribe("SBIN", at: "angel"))
            #expect(ack["broker"] == "angel" && ack["status"] == "success")
            #expect(try await client.reply(to: subscribe("SBIN"))["broker"] == "zerodha")
            #expect(house.directory.attachments == 2)
            for broker in ["angel", "zerodha"] {
                house.bus.publish(try house.route("SBIN", broker: broker), #"{"from":"\#(broker)"}"#)
                let frame = try await client.json()
                #expect(frame["broker"] == .string(broker) && frame["data"]?["from"] == .string(broker))
            }
        }
    }

    @Test func theSessionGoesWithItsLastSubscription() async throws {
        try await with { house, client in
            for symbol in ["SBIN", "TCS"] { _ = try await client.reply(to: subscribe(symbol, at: "angel")) }
            let angel = try #require(house.directory.session(of: "alice", at: "angel"))
            // Twice the same is one.
            _ = try await client.reply(to: subscribe("SBIN", at: "angel"))
            _ = try await client.reply(to: leave("SBIN", at: "angel"))
            #expect(house.directory.attachments == 2)
            _ = try await client.reply(to: leave("TCS", at: "angel"))
            #expect(house.directory.attachments == 1 && angel.references.isEmpty)
            // It comes back when it is wanted again, and a request that came to nothing leaves nothing behind.
            _ = try await client.reply(to: subscribe("BADX", at: "angel"))
            _ = try await client.reply(to: #"{"action":"ping"}"#)
            #expect(house.directory.attachments == 1)
            _ = try await client.reply(to: subscribe("TCS", at: "angel"))
            _ = try await client.reply(to: #"{"action":"subscribe_orders","broker":"angel"}"#)
            _ = try await client.reply(to: leave("TCS", at: "angel"))
            #expect(house.directory.attachments == 2 && angel.orders == 1)
            _ = try await client.reply(to: #"{"action":"unsubscribe_orders","broker":"angel"}"#)
            #expect(house.directory.attachments == 1 && angel.orders == 0)
        }
    }

    @Test func theUsualBrokersSessionStays() async throws {
        try await with { house, client in
            _ = try await client.reply(to: subscribe("SBIN", at: "zerodha"))
            _ = try await client.reply(to: leave("SBIN"))
            #expect(house.directory.attachments == 1)
        }
    }

    @Test func unsubscribingWithoutBroker() async throws {
        try await with { house, client in
            for broker in ["angel", "zerodha", "dhan"] { _ = try await client.reply(to: subscribe("SBIN", at: broker)) }
            // The usual one first, then the others as they were taken.
            for broker in ["zerodha", "angel", "dhan", "zerodha"] {
                let reply = try await client.reply(to: leave("SBIN"))
                guard case .array(let entries) = reply["successful"] else { throw WireClient.Closed() }
                #expect(entries.first?["broker"] == .string(broker))
            }
            #expect(house.directory.attachments == 1)
            for broker in ["angel", "dhan"] { _ = try await client.reply(to: subscribe("SBIN", at: broker)) }
            _ = try await client.reply(to: #"{"action":"unsubscribe_all","broker":"dhan"}"#)
            #expect(house.directory.session(of: "alice", at: "dhan")?.references.isEmpty == true)
            #expect(house.directory.session(of: "alice", at: "angel")?.references.count == 1)
            let all = try await client.reply(to: #"{"action":"unsubscribe_all"}"#)
            guard case .array(let entries) = all["successful"] else { throw WireClient.Closed() }
            #expect(entries.map { $0["broker"] } == ["angel"])
            #expect(house.directory.attachments == 1)
        }
    }

    @Test func oneBrokersTroubleIsNoneOfTheOthers() async throws {
        try await with { house, client in
            _ = try await client.reply(to: subscribe("SBIN"))
            house.directory.breakDown("angel")
            house.directory.session(user: "alice", broker: "dhan").refuse(FeedError(.brokerConnection, "token expired"))
            for (broker, code) in [("angel", "BROKER_ERROR"), ("dhan", "BROKER_CONNECTION_ERROR")] {
                let reply = try await client.reply(to: subscribe("SBIN", at: broker))
                guard case .array(let entries) = reply["subscriptions"] else { throw WireClient.Closed() }
                #expect(entries.first?["code"] == .string(code) && reply["broker"] == .string(broker))
                let orders = try await client.reply(to: #"{"action":"subscribe_orders","broker":"\#(broker)"}"#)
                #expect(orders["code"] == .string(code))
            }
            house.bus.publishOrder(user: "alice", #"{"broker":"angel"}"#)
            house.bus.publish(try house.route("SBIN"), #"{"ltp":1}"#)
            #expect(try await client.json()["data"]?["ltp"] == .int(1))
            #expect(house.directory.attachments == 1)
        }
    }

    @Test func anotherBrokerHelpsWhenTheUsualOneFails() async throws {
        try await House.with { house in
            house.directory.add(
                "key", Account(user: "alice", broker: "zerodha", keyID: 9, brokers: ["angel"]))
            house.directory.breakDown("zerodha")
            let client = try await house.connect()
            let reply = try await client.reply(to: #"{"action":"authenticate","api_key":"key"}"#)
            #expect(reply["code"] == "BROKER_ERROR")
            #expect(try await client.reply(to: subscribe("SBIN"))["code"] == "BROKER_ERROR")
            #expect(try await client.reply(to: subscribe("SBIN", at: "angel"))["status"] == "success")
            house.bus.publish(try house.route("SBIN", broker: "angel"), #"{"ltp":1}"#)
            #expect(try await client.json()["broker"] == "angel")
        }
    }

    @Test func orderUpdatesAreThoseOfTheBrokersAskedFor() async throws {
        try await with { house, client in
            func publish() {
                for broker in ["zerodha", "angel", "elsewhere"] {
                    house.bus.publishOrder(user: "alice", #"{"broker":"\#(broker)"}"#)
                }
            }
            _ = try await client.reply(to: #"{"action":"subscribe_orders"}"#)
            publish()
            for broker in ["zerodha", "elsewhere"] { #expect(try await client.json()["broker"] == .string(broker)) }
            _ = try await client.reply(to: #"{"action":"subscribe_orders","broker":"angel"}"#)
            #expect(house.directory.session(of: "alice", at: "angel")?.orders == 1)
            publish()
            for broker in ["zerodha", "angel", "elsewhere"] {
                #expect(try await client.json()["broker"] == .string(broker))
            }
            _ = try await client.reply(to: #"{"action":"unsubscribe_orders","broker":"zerodha"}"#)
            publish()
            for broker in ["angel", "elsewhere"] { #expect(try await client.json()["broker"] == .string(broker)) }
            _ = try await client.reply(to: #"{"action":"unsubscribe_orders"}"#)
            publish()
            #expect(try await client.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
            #expect(house.directory.attachments == 1)
        }
    }

    @Test func brokerInfo() async throws {
        try await with { house, client in
            let info = try await client.reply(to: #"{"action":"get_broker_info","broker":"angel"}"#)
            #expect(info["broker"] == "angel" && info["adapter_status"] == "connected" && info["user_id"] == "alice")
            #expect(house.directory.attachments == 1, "looking holds nothing")
            house.directory.breakDown("dhan")
            let broken = try await client.reply(to: #"{"action":"get_broker_info","broker":"dhan"}"#)
            #expect(broken["code"] == "BROKER_ERROR")
            let wrong = try await client.reply(to: #"{"action":"get_broker_info","broker":["angel"]}"#)
            #expect(wrong["code"] == "INVALID_PARAMETERS")
            for none in ["null", #""""#] {
                let usual = try await client.reply(to: #"{"action":"get_broker_info","broker":\#(none)}"#)
                #expect(usual["broker"] == "zerodha")
            }
        }
    }

    @Test func whoLeavesMeanwhileHoldsNothing() async throws {
        try await with { house, client in
            let angel = house.directory.session(user: "alice", broker: "angel")
            angel.gate.close()
            try await client.send(subscribe("SBIN", at: "angel"))
            await angel.gate.arrival()
            await client.close()
            angel.gate.open()
            await house.proxy.stop()
            #expect(angel.references.isEmpty && house.directory.attachments == 0)
        }
    }

    @Test func usersOfOneBrokerSeeTheirOwn() async throws {
        try await with { house, alice in
            house.directory.add("key-carl", Account(user: "carl", broker: "angel", keyID: 11))
            let carl = try await house.client(key: "key-carl")
            _ = try await alice.reply(to: subscribe("SBIN", at: "angel"))
            _ = try await carl.reply(to: subscribe("SBIN"))
            house.bus.publish(try house.route("SBIN", broker: "angel"), #"{"of":"alice"}"#)
            house.bus.publish(try house.route("SBIN", user: "carl", broker: "angel"), #"{"of":"carl"}"#)
            #expect(try await alice.json()["data"]?["of"] == "alice")
            #expect(try await carl.json()["data"]?["of"] == "carl")
        }
    }
}
