import MarketData
import NIOCore
import Testing

@testable import StreamProxy

/// A client's hold on its session's order stream.
@Suite(.timeLimit(.minutes(1))) struct OrderTests {
    private let subscribe = #"{"action":"subscribe_orders"}"#
    private let unsubscribe = #"{"action":"unsubscribe_orders"}"#
    private let update = #"{"type":"order_update","user_id":"alice","orderid":"1","order_status":"complete"}"#

    @Test func eachClientHoldsOneReference() async throws {
        try await House.with { house in
            let (first, second) = (try await house.client(), try await house.client())
            let session = try #require(house.directory.session(of: "alice"))
            #expect(session.orders == 0)
            for _ in 0..<2 { _ = try await first.reply(to: subscribe) }
            #expect(session.orders == 1)
            _ = try await second.reply(to: subscribe)
            #expect(session.orders == 2)
            for _ in 0..<2 { _ = try await first.reply(to: unsubscribe) }
            #expect(session.orders == 1)
            _ = try await first.reply(to: subscribe)
            #expect(session.orders == 2)
            await first.close()
            await second.close()
            await house.proxy.stop()
            #expect(session.orders == 0)
        }
    }

    @Test func anotherUserGivesItBack() async throws {
        try await House.with { house in
            let client = try await house.client()
            _ = try await client.reply(to: subscribe)
            let session = try #require(house.directory.session(of: "alice"))
            // The same user with another key keeps it.
            _ = try await client.reply(to: #"{"action":"authenticate","api_key":"key-alice-2"}"#)
            #expect(session.orders == 1)
            _ = try await client.reply(to: #"{"action":"authenticate","api_key":"key-bob"}"#)
            #expect(session.orders == 0)
            _ = try await client.reply(to: subscribe)
            #expect(house.directory.session(of: "bob_k")?.orders == 1)
            #expect(session.orders == 0)
        }
    }

    @Test func aBrokerWithoutOrderStreamIsNoError() async throws {
        try await House.with { house in
            let client = try await house.client()
            let session = try #require(house.directory.session(of: "alice"))
            session.loseOrderStream()
            let reply = try await client.reply(to: subscribe)
            #expect(reply["status"] == "success")
            house.bus.publishOrder(user: "alice", update)
            #expect(try await client.next().text == update)
            _ = try await client.reply(to: unsubscribe)
            #expect(session.orders == 0, "what was never held is not given back")
        }
    }

    /// What waits for the acknowledgement is bounded, and lost it is not: it goes out in order, before the acknowledgement.
    @Test func aBrokerThatDoesNotAnswerCostsNeitherMemoryNorUpdates() async throws {
        var interest = OrderInterest()
        let large = ByteBuffer(repeating: 1, count: 1_000)
        let isHeldUnasked = interest.holdBack(large)
        #expect(!isHeldUnasked, "nothing is held back before it was asked for")
        interest.holdBack()
        var held = 0
        while interest.holdBack(large) { held += 1 }
        #expect(held == OrderInterest.mostEarly / 1_000)
        let taken = interest.takeEarly()
        #expect(taken.count == held && interest.early == nil)
        try await House.with { house in
            let client = try await house.client()
            let session = try #require(house.directory.session(of: "alice"))
            session.gate.close()
            try await client.send(subscribe)
            await session.gate.arrival()
            let reason = String(repeating: "x", count: 60_000)
            let updates = (0..<40).map { #"{"type":"order_update","orderid":"\#($0)","reason":"\#(reason)"}"# }
            for update in updates { house.bus.publishOrder(user: "alice", update) }
            for update in updates { #expect(try await client.next().text == update) }
            session.gate.open()
            #expect(try await client.json()["type"] == "subscribe_orders")
        }
    }

    @Test func theAcknowledgementComesFirst() async throws {
        try await House.with { house in
            let client = try await house.client()
            let listening = try await house.client()
            _ = try await listening.reply(to: subscribe)
            let session = try #require(house.directory.session(of: "alice"))
            session.gate.close()
            try await client.send(subscribe)
            await session.gate.arrival()
            for _ in 0..<2 { house.bus.publishOrder(user: "alice", update) }
            // Who listens already gets them at once, so they are through.
            for _ in 0..<2 { #expect(try await listening.next().text == update) }
            session.gate.open()
            #expect(try await client.json()["type"] == "subscribe_orders")
            for _ in 0..<2 { #expect(try await client.next().text == update) }
        }
    }

    @Test func whoLeavesMeanwhileHoldsNothing() async throws {
        try await House.with { house in
            let client = try await house.client()
            let session = try #require(house.directory.session(of: "alice"))
            session.gate.close()
            try await client.send(subscribe)
            await session.gate.arrival()
            await client.close()
            session.gate.open()
            await house.proxy.stop()
            #expect(session.orders == 0)
        }
    }

    @Test func withoutSessionOnlyOutsidersAreHeard() async throws {
        try await House.with { house in
            let client = try await house.connect()
            _ = try await client.reply(to: #"{"action":"authenticate","api_key":"key-ghost"}"#)
            #expect(try await client.reply(to: subscribe)["status"] == "success")
            house.bus.publishOrder(user: "ghost", update)
            #expect(try await client.next().text == update)
            #expect(try await client.reply(to: unsubscribe)["status"] == "success")
        }
    }
}
