import NIOCore
import NIOEmbedded
import Testing

@testable import StreamProxy

@Suite struct KeepaliveTests {
    @Test func strangersMustAuthenticateInTime() throws {
        let bench = try Bench()
        bench.advance(seconds: 10)
        // A failed attempt does not start the clock again.
        try bench.receive(WireClient.frame(.text, Array(#"{"action":"authenticate"}"#.utf8)))
        bench.advance(seconds: 4.5)
        #expect(try bench.sent().last?.opcode == Opcode.text.rawValue)
        bench.advance(seconds: 0.5)
        let close = try #require(try bench.sent().last)
        #expect(close.code == 4401 && close.reason == "auth timeout")
        bench.advance(seconds: 2)
        #expect(!bench.channel.isActive)
    }

    @Test func pongsKeepAClient() throws {
        let bench = try Bench()
        bench.client.standing = .brokerless(nil)
        for _ in 0..<5 {
            bench.advance(seconds: 20)
            let pings = try bench.sent()
            #expect(pings.map(\.opcode) == [Opcode.ping.rawValue])
            bench.advance(seconds: 19)
            try bench.receive(WireClient.frame(.pong, pings[0].payload))
        }
        #expect(bench.channel.isActive)
    }

    @Test func otherTrafficIsNoPong() throws {
        let bench = try Bench()
        bench.client.standing = .brokerless(nil)
        bench.advance(seconds: 20)
        _ = try bench.sent()
        try bench.receive(WireClient.frame(.pong, [9, 9, 9, 9]))
        try bench.receive(WireClient.frame(.ping, []))
        bench.advance(seconds: 19.75)
        #expect(try bench.sent().map(\.opcode) == [Opcode.pong.rawValue])
        bench.advance(seconds: 0.25)
        let close = try #require(try bench.sent().last)
        #expect(close.code == 1011 && close.reason == "keepalive ping timeout")
    }

    @Test func aPingStuckBehindOurOwnBytesDoesNotCount() throws {
        let bench = try Bench { $0.slowTimeout = .seconds(1000) }
        bench.client.standing = .brokerless(nil)
        let a = bench.join("A")
        bench.stall.isStalled = true
        bench.publish([(a, "1")])
        bench.advance(seconds: 100)
        try bench.resume()
        let ping = try #require(try bench.sent().last)
        bench.advance(seconds: 19)
        try bench.receive(WireClient.frame(.pong, ping.payload))
        bench.advance(seconds: 5)
        #expect(bench.channel.isActive)
        #expect(try bench.sent().isEmpty)
    }
}
