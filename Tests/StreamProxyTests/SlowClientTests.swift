import NIOCore
import NIOEmbedded
import Testing

@testable import StreamProxy

/// What a client that does not read costs, and what it misses.
@Suite struct SlowClientTests {
    @Test func batchesLeaveInOneWrite() throws {
        let bench = try Bench()
        let routes = ["A", "B", "C"].map { bench.join($0) }
        bench.publish(routes.map { ($0, "1") } + routes.map { ($0, "2") })
        let write = try #require(try bench.channel.readOutbound(as: ByteBuffer.self))
        let frames = Inbox.frames(in: write)
        #expect(frames.compactMap { try? json($0.text)["data"] } == [1, 1, 1, 2, 2, 2].map { JSONValue.int($0) })
        #expect(try bench.channel.readOutbound(as: ByteBuffer.self) == nil)
        #expect(bench.counters.snapshot().messagesOut == 6)
    }

    @Test func marketDataShrinksToTheNewestAndControlDoesNot() throws {
        let bench = try Bench()
        bench.client.standing = .brokerless(nil)
        let (a, b) = (bench.join("A"), bench.join("B"))
        bench.stall.isStalled = true
        bench.publish([(a, "0")])
        let held = bench.stall.heldBytes
        for number in 1...1000 {
            bench.publish([(b, "\(number)"), (a, "\(number)")])
            if number % 100 == 0 {
                try bench.receive(WireClient.frame(.text, Array(#"{"action":"ping","_pingId":\#(number)}"#.utf8)))
            }
        }
        #expect(bench.stall.heldBytes == held)
        #expect(bench.counters.snapshot().conflated == 2 * 999)
        try bench.resume()
        let values = try bench.sent().map { try json($0.text) }
        #expect(values.first?["data"] == .int(0))
        // Told before anything newer comes, and once.
        #expect(values[1]["type"] == "notice" && values[1]["code"] == "SLOW_CLIENT")
        #expect(values.dropFirst(2).prefix(10).map { $0["_pingId"] } == (1...10).map { .int($0 * 100) })
        // In the order in which they changed first.
        #expect(values.dropFirst(12).map { $0["symbol"] } == ["B", "A"])
        #expect(values.dropFirst(12).map { $0["data"] } == [.int(1000), .int(1000)])
        #expect(bench.counters.snapshot().slowNotices == 1)
        // And then everything again.
        bench.publish([(a, "1001"), (a, "1002")])
        #expect(try bench.sent().count == 2)
    }

    @Test func streamsLeftMeanwhileAreNotSent() throws {
        let bench = try Bench()
        let a = bench.join("A")
        let subscription = bench.shard.routes.join(
            StreamKey(route: a, symbol: "A:2"), exchange: "NSE", broker: "b", outbox: bench.client.outbox)
        bench.stall.isStalled = true
        bench.publish([(a, "1")])
        bench.publish([(a, "2")])
        bench.shard.routes.leave(subscription)
        try bench.resume()
        let symbols = try bench.sent().map { try json($0.text)["symbol"] }
        #expect(symbols == ["A", "A:2", "A"])
    }

    @Test func whoIsSlowAgainIsToldAgainButNotAtOnce() throws {
        let bench = try Bench()
        let a = bench.join("A")
        func spell() throws -> [JSONValue?] {
            bench.stall.isStalled = true
            bench.publish([(a, "1")])
            bench.publish([(a, "2"), (a, "3")])
            try bench.resume()
            return try bench.sent().map { try json($0.text)["type"] }
        }
        #expect(try spell() == ["market_data", "notice", "market_data"])
        #expect(try spell() == ["market_data", "market_data"])
        bench.loop.advanceTime(by: Outbox.noticeInterval)
        _ = try spell()
        #expect(try spell() == ["market_data", "notice", "market_data"])
    }

    @Test func whoTakesNothingIsCutOff() throws {
        let bench = try Bench()
        bench.client.standing = .brokerless(nil)
        let a = bench.join("A")
        bench.stall.isStalled = true
        bench.publish([(a, "1")])
        bench.advance(seconds: 29)
        #expect(bench.channel.isActive)
        #expect(bench.counters.snapshot().slowClosed == 0)
        bench.advance(seconds: 1.5)
        #expect(bench.counters.snapshot().slowClosed == 1)
        bench.advance(seconds: 2.5)
        #expect(!bench.channel.isActive)
        #expect(bench.shard.clientCount == 0)
    }

    @Test func unreadAcknowledgementsAreLimited() throws {
        let bench = try Bench { $0.maxQueuedControl = 10_000 }
        bench.client.standing = .brokerless(nil)
        bench.stall.isStalled = true
        let ping = WireClient.frame(.text, Array(#"{"action":"ping"}"#.utf8))
        for _ in 0..<1000 where bench.client.isOpen { try bench.receive(ping) }
        #expect(bench.counters.snapshot().slowClosed == 1)
        try bench.resume()
        let frames = try bench.sent()
        #expect(frames.last?.code == 4008 && frames.last?.reason == "slow consumer")
        #expect(frames.count < 200)
    }

    @Test func pingFloodsCostOnePong() throws {
        let bench = try Bench()
        bench.stall.isStalled = true
        for number in 0..<10_000 {
            try bench.receive(WireClient.frame(.ping, [UInt8(number >> 8), UInt8(number & 255)]))
        }
        try bench.resume()
        #expect(try bench.sent().map(\.payload) == [[0, 0], [UInt8(9999 >> 8), UInt8(9999 & 255)]])
    }

    @Test func aBacklogLeavesInPieces() throws {
        let bench = try Bench()
        bench.client.standing = .brokerless(nil)
        bench.stall.isStalled = true
        let padding = String(repeating: "x", count: 50_000)
        for number in 0..<20 {
            let text = #"{"action":"ping","timestamp":"\#(padding)","_pingId":\#(number)}"#
            try bench.receive(WireClient.frame(.text, Array(text.utf8)))
        }
        try bench.resume()
        let frames = try bench.sent()
        #expect(try frames.map { try json($0.text)["_pingId"] } == (0..<20).map { .int($0) })
    }

    @Test func whoWantsLessGetsTheNewestNowAndThen() throws {
        let bench = try Bench()
        let a = bench.join("A")
        let paced = bench.shard.routes.join(
            StreamKey(route: a, symbol: "A:2"), exchange: "NSE", broker: "b", outbox: bench.client.outbox,
            interval: .milliseconds(100))
        func values(of symbol: String) throws -> [JSONValue?] {
            try bench.sent().map { try json($0.text) }.filter { $0["symbol"] == .string(symbol) }.map { $0["data"] }
        }
        // The first at once, then at most one in 100 ms, always the newest.
        bench.publish([(a, "1")])
        #expect(try values(of: "A:2") == [.int(1)])
        for number in 2...50 {
            bench.publish([(a, "\(number)")])
            bench.loop.advanceTime(by: .milliseconds(1))
        }
        #expect(try values(of: "A:2").isEmpty)
        bench.loop.advanceTime(by: .milliseconds(60))
        #expect(try values(of: "A:2") == [.int(50)])
        bench.loop.advanceTime(by: .seconds(1))
        #expect(try bench.sent().isEmpty)
        bench.publish([(a, "51")])
        bench.shard.routes.leave(paced)
        bench.publish([(a, "52")])
        bench.loop.advanceTime(by: .seconds(1))
        #expect(try bench.sent().map { try json($0.text)["symbol"] } == ["A", "A:2", "A"])
    }

    @Test func oneFrameAWriteWhereThatIsWanted() throws {
        let bench = try Bench { $0.coalesces = false }
        let (a, b) = (bench.join("A"), bench.join("B"))
        #expect(bench.client.outbox.wire.coalesces == false)
        bench.publish([(a, "1"), (b, "2"), (a, "3")])
        let writes = try bench.writes()
        #expect(writes.allSatisfy { $0.count == 1 })
        #expect(try writes.flatMap { $0 }.map { try json($0.text)["data"] } == [.int(1), .int(2), .int(3)])
    }

    @Test func whatHasWaitedLeavesFrameByFrameToo() throws {
        let bench = try Bench { $0.coalesces = false }
        let (a, b) = (bench.join("A"), bench.join("B"))
        bench.stall.isStalled = true
        bench.publish([(a, "1"), (b, "2"), (a, "3"), (b, "4")])
        for size in [1, 200, 70_000] { bench.client.send(ByteBuffer(string: String(repeating: "x", count: size))) }
        try bench.resume()
        // One frame was under way; acknowledgements come whole and in order, of each stream the newest.
        let writes = try bench.writes()
        #expect(writes.allSatisfy { $0.count == 1 })
        let frames = writes.flatMap { $0 }
        #expect(frames.filter { $0.text.hasPrefix("x") }.map(\.payload.count) == [1, 200, 70_000])
        #expect(
            try frames.filter { $0.text.contains("market_data") }.map { try json($0.text)["data"] } == [
                .int(1), .int(4), .int(3),
            ])
    }
}
