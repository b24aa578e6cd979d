import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import StreamProxy

/// What comes before the first request, and what is compressed. `FEEDHOST_FUZZ` is how many rounds each test makes;
/// `FEEDHOST_FUZZ_SEED` repeats a run.
@Suite struct TransportFuzzTests {
    private static let fields = [
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=\"15\"; server_max_window_bits=12",
        "Sec-WebSocket-Extensions: x-webkit-deflate-frame, permessage-deflate",
        "Sec-WebSocket-Protocol: chat", "Origin: https://a.example.com:443", "Origin: null",
        "X-Forwarded-For: 192.0.2.7, [2001:db8::1]:443, unix", "X-Forwarded-For: 10.0.0.1", "Content-Length: 3",
        "Transfer-Encoding: chunked", "Expect: 100-continue",
    ]

    private func request(_ random: inout SeededNumbers) -> [UInt8] {
        let more = Self.fields.shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random))
        let head =
            [
                "GET /ws?x=%00 HTTP/1.1", "Host: me.example:8765", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
            ] + more
        let trailing = WireClient.frame(.text, Array(#"{"action":"ping"}"#.utf8))
        return Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8)
            + (Bool.random(using: &random) ? trailing : [])
    }

    /// However a request is spoilt and cut: a whole answer or none, and whoever is not let in is sent away or still waits.
    @Test func handshakesNeverTrap() throws {
        var random = SeededNumbers.announced("handshakes")
        let rules = ["*.example.com", "same-host"].compactMap { OriginRule($0) }
        let bench = try Bench { $0.origins = rules }
        let before = bench.shard.clientCount
        var outcomes: Set<String> = []
        for _ in 0..<SeededNumbers.rounds(4_000) {
            let channel = EmbeddedChannel(loop: bench.loop)
            let entrance = Entrance(isUnix: Bool.random(using: &random), coalesces: Bool.random(using: &random))
            try HandshakeHandler.start(on: channel, shard: bench.shard, entrance: entrance)
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            for piece in random.pieces(random.spoiled(request(&random)), upTo: 200) where channel.isActive {
                try channel.writeInbound(ByteBuffer(bytes: piece))
            }
            bench.loop.run()
            var answer = ByteBuffer()
            while let part = try channel.readOutbound(as: ByteBuffer.self) { answer.writeImmutableBuffer(part) }
            let status = String(decoding: answer.readableBytesView.prefix(12), as: UTF8.self)
            let all = ["101", "400", "403", "405", "426", "431", "501", "505"].map { "HTTP/1.1 \($0)" }
            #expect(status.isEmpty || all.contains(status))
            #expect(status.isEmpty || answer.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8)) != nil)
            // A client that was let in and then broke the rules is being sent away.
            #expect(status.isEmpty || status.hasSuffix("101") || !channel.isActive)
            #expect(bench.shard.clientCount == before + (status.hasSuffix("101") && channel.isActive ? 1 : 0))
            outcomes.insert(status)
            channel.close(promise: nil)
            bench.loop.run()
            #expect(bench.shard.clientCount == before)
        }
        #expect(outcomes.isSuperset(of: ["", "HTTP/1.1 101", "HTTP/1.1 400", "HTTP/1.1 403", "HTTP/1.1 426"]))
    }

    /// Whatever is unpacked stays within the limit, and one client's rubbish is nothing to the next client.
    @Test func deflatedMessagesNeverTrap() throws {
        var random = SeededNumbers.announced("deflated messages")
        let (deflater, inflater) = (try Deflater(), try Inflater())
        let limit = 4_096
        var unpacked = 0
        for _ in 0..<SeededNumbers.rounds(10_000) {
            let text = random.text(256...6_000)
            var frame = ByteBuffer()
            guard text.withUnsafeBytes({ deflater.writeFrame(.text, payload: $0, to: &frame) }) else { continue }
            frame.moveReaderIndex(forwardBy: frame.readableBytes < 128 ? 2 : 4)
            let spoiled = random.spoiled(Array(frame.readableBytesView))
            if let message = try? inflater.inflate(ByteBuffer(bytes: spoiled), limit: limit) {
                #expect(message.readableBytes <= limit)
                unpacked += 1
            }
            if text.count <= limit {
                #expect(Array(try inflater.inflate(frame, limit: limit).readableBytesView) == text)
            } else {
                #expect(throws: ProtocolViolation.tooBig) { try inflater.inflate(frame, limit: limit) }
            }
        }
        #expect(unpacked > 0)
    }
}

extension SeededNumbers {
    /// Something that can be compressed: a few words again and again.
    fileprivate mutating func text(_ length: ClosedRange<Int>) -> [UInt8] {
        let words = (0..<8).map { _ in
            (0..<Int.random(in: 1...12, using: &self)).map { _ in UInt8.random(in: 32...126, using: &self) }
        }
        let count = Int.random(in: length, using: &self)
        var text: [UInt8] = []
        while text.count < count { text += words[Int.random(in: 0..<words.count, using: &self)] }
        return Array(text.prefix(count))
    }
}
