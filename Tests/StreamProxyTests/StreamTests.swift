import MarketData
import NIOCore
import Testing

@testable import StreamProxy

/// Who gets which tick, when, and how often.
@Suite(.timeLimit(.minutes(1))) struct StreamTests {
    private func subscribe(_ symbol: String, mode: Int = 1, more: String = "") -> String {
        #"{"action":"subscribe","symbol":"\#(symbol)","exchange":"NSE","mode":\#(mode)\#(more)}"#
    }

    /// A request whose answer comes after everything that was queued before it.
    private func expectNothing(_ client: WireClient) async throws {
        #expect(try await client.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
    }

    @Test func acknowledgementThenSnapshotThenTicks() async throws {
        try await House.with { house in
            let client = try await house.client()
            let route = try house.route("SBIN")
            house.bus.setLastValue(route, #"{"ltp":1}"#)
            try await client.send(subscribe("SBIN"))
            #expect(try await client.json()["type"] == "subscribe")
            let tick = try await client.next()
            #expect(
                tick.text
                    == #"{"type":"market_data","symbol":"SBIN","exchange":"NSE","mode":1,"data":{"ltp":1},"broker":"zerodha"}"#
            )
            house.bus.publish(route, #"{ "ltp" : 2.50 }"#)
            #expect(try await client.next().text.range(of: #""data":{ "ltp" : 2.50 },"#) != nil)
            // Nobody on this stream needs a snapshot any more.
            house.bus.publish(route, snapshot: true, #"{"ltp":0}"#)
            try await expectNothing(client)
        }
    }

    @Test func laterClientsGetTheLastValueOnce() async throws {
        try await House.with { house in
            let route = try house.route("SBIN")
            let first = try await house.client()
            _ = try await first.reply(to: subscribe("SBIN"))
            house.bus.publish(route, #"{"ltp":7}"#)
            #expect(try await first.json()["data"]?["ltp"] == .int(7))
            let second = try await house.client()
            try await second.send(subscribe("SBIN"))
            #expect(try await second.json()["type"] == "subscribe")
            #expect(try await second.json()["data"]?["ltp"] == .int(7))
            // Subscribing again neither repeats it nor takes a second reference.
            #expect(try await second.reply(to: subscribe("SBIN"))["status"] == "success")
            try await expectNothing(second)
            try await expectNothing(first)
            #expect(try #require(house.directory.session(of: "alice")).references[route] == 2)
            house.bus.publish(route, #"{"ltp":8}"#)
            #expect(try await first.json()["data"]?["ltp"] == .int(8))
            #expect(try await second.json()["data"]?["ltp"] == .int(8))
            try await expectNothing(second)
        }
    }

    @Test func ticksOfASubscriptionNeverPrecedeItsAcknowledgement() async throws {
        try await House.with { house in
            let watcher = try await house.client()
            let route = try house.route("SBIN")
            _ = try await watcher.reply(to: subscribe("SBIN"))
            let client = try await house.client()
            let session = try #require(house.directory.session(of: "alice"))
            session.gate.close()
            try await client.send(subscribe("SBIN"))
            await session.gate.arrival()
            for number in 1...100 { house.bus.publish(route, #"{"ltp":\#(number)}"#) }
            for number in 1...100 { #expect(try await watcher.json()["data"]?["ltp"] == .int(number)) }
            session.gate.open()
            #expect(try await client.json()["type"] == "subscribe")
            #expect(try await client.json()["data"]?["ltp"] == .int(100))
        }
    }

    @Test func usersOfOneSymbolAreApart() async throws {
        try await House.with { house in
            let alice = try await house.client()
            let bob = try await house.client(key: "key-bob")
            _ = try await alice.reply(to: subscribe("SBIN"))
            _ = try await bob.reply(to: subscribe("SBIN"))
            house.bus.publish(try house.route("SBIN"), #"{"ltp":1}"#)
            house.bus.publish(try house.route("SBIN", user: "bob_k", broker: "angel"), #"{"ltp":2}"#)
            let first = try await alice.json()
            #expect(first["data"]?["ltp"] == .int(1) && first["broker"] == "zerodha")
            let second = try await bob.json()
            #expect(second["data"]?["ltp"] == .int(2) && second["broker"] == "angel")
            try await expectNothing(alice)
            try await expectNothing(bob)
        }
    }

    @Test func modesAndDepthsAreStreamsOfTheirOwn() async throws {
        try await House.with { house in
            let client = try await house.client()
            _ = try await client.reply(to: subscribe("SBIN", mode: 1))
            _ = try await client.reply(to: subscribe("SBIN", mode: 3))
            let deep = try await client.reply(to: subscribe("SBIN", mode: 3, more: #","depth_level":30"#))
            let entries = try json(
                #"[{"symbol":"SBIN","exchange":"NSE","status":"success","mode":"Depth","depth":20,"broker":"zerodha"}]"#
            )
            #expect(deep["subscriptions"] == entries)
            for route in [
                try house.route("SBIN"), try house.route("SBIN", .depth), try house.route("SBIN", .depth, depth: 20),
            ] {
                house.bus.publish(route, #"{"levels":\#(route.depth)}"#)
                let tick = try await client.json()
                #expect(tick["mode"] == .int(route.mode.rawValue))
                #expect(tick["data"]?["levels"] == .int(route.depth))
            }
            // Without a mode every one of them goes.
            let reply = try await client.reply(
                to: #"{"action":"unsubscribe","symbols":[{"symbol":"SBIN","exchange":"NSE"}]}"#)
            #expect(reply["status"] == "success")
            #expect(house.bus.interest.isEmpty)
        }
    }

    @Test func suffixesComeBackAsWritten() async throws {
        try await House.with { house in
            let client = try await house.client()
            let reply = try await client.reply(to: subscribe("TCS:50", mode: 3, more: #","depth":5"#))
            let entries = try json(
                #"[{"symbol":"TCS:50","exchange":"NSE","status":"success","mode":"Depth","depth":20,"broker":"zerodha"}]"#
            )
            #expect(reply["subscriptions"] == entries)
            _ = try await client.reply(to: subscribe("TCS:20", mode: 3))
            // Both are granted 20 levels, and each comes under the name that it was asked by.
            for depth in [50, 20] {
                house.bus.publish(try house.route("TCS", .depth, depth: depth, suffixed: true), #"{"ltp":1}"#)
                #expect(try await client.json()["symbol"] == .string("TCS:\(depth)"))
            }
            let late = try await house.client()
            try await late.send(subscribe("TCS:50", mode: 3))
            #expect(try await late.json()["type"] == "subscribe")
            let value = try await late.json()
            #expect(value["symbol"] == "TCS:50" && value["data"]?["ltp"] == .int(1))
        }
    }

    @Test func pendingAndImplausibleEntries() async throws {
        try await House.with { house in
            let client = try await house.client()
            let reply = try await client.reply(
                to: #"""
                    {"action":"subscribe","symbols":[{"symbol":"LATER","exchange":"NSE"},{"symbol":5,"exchange":"NSE"},
                    {"symbol":"A\tB","exchange":"NSE"},{"symbol":"","exchange":"NSE"},{}]}
                    """#)
            guard case .array(let entries) = try #require(reply["subscriptions"]) else { return }
            #expect(reply["status"] == "partial" && entries.count == 3)
            #expect(entries[0]["pending"] == true)
            #expect(entries[1]["code"] == "INVALID_PARAMETERS" && entries[1]["symbol"] == .int(5))
            #expect(entries[2]["code"] == "SYMBOL_NOT_FOUND" && entries[2]["pending"] == nil)
        }
    }

    @Test func leavingGivesEverythingBack() async throws {
        try await House.with { house in
            let client = try await house.client()
            _ = try await client.reply(to: subscribe("SBIN"))
            _ = try await client.reply(to: subscribe("SBIN"))
            let session = try #require(house.directory.session(of: "alice"))
            session.gate.close()
            // One subscription is under way when the client leaves.
            try await client.send(subscribe("TCS"))
            await session.gate.arrival()
            await client.close()
            session.gate.open()
            await house.proxy.stop()
            #expect(session.references.isEmpty)
        }
    }

    @Test func ordersGoToTheirUsersListeners() async throws {
        try await House.with { house in
            let alice = try await house.client()
            let bob = try await house.client(key: "key-bob")
            _ = try await alice.reply(to: #"{"action":"subscribe_orders"}"#)
            let update = #"{"type":"order_update","user_id":"alice","orderid":"1","order_status":"complete"}"#
            house.bus.publishOrder(user: "alice", update)
            house.bus.publishOrder(user: "bob_k", update)
            #expect(try await alice.next().text == update)
            try await expectNothing(bob)
            _ = try await alice.reply(to: #"{"action":"unsubscribe_orders"}"#)
            house.bus.publishOrder(user: "alice", update)
            try await expectNothing(alice)
        }
    }

    @Test func compressedFramesAreShared() async throws {
        try await House.with { house in
            let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
            let packed = [try await house.client(headers: offer), try await house.client(headers: offer)]
            let plain = try await house.client()
            for client in packed { _ = try await client.reply(to: subscribe("SBIN")) }
            _ = try await plain.reply(to: subscribe("SBIN"))
            let payload = #"{"ltp":1,"text":"\#(String(repeating: "ab", count: 300))"}"#
            house.bus.publish(try house.route("SBIN"), payload)
            let text = try await plain.next()
            #expect(!text.isCompressed)
            for client in packed {
                let frame = try await client.next()
                #expect(frame.isCompressed)
                let inflated = try Inflater().inflate(ByteBuffer(bytes: frame.payload), limit: 10_000)
                #expect(String(buffer: inflated) == text.text)
            }
        }
    }
}
