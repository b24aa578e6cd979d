import NIOCore
import NIOEmbedded
import Testing

@testable import StreamProxy

/// What RFC 6455 forbids, and what it allows although hardly anybody does it.
@Suite(.timeLimit(.minutes(1))) struct ProtocolTests {
    private static let big = [UInt8](repeating: 0x20, count: (1 << 20) + 1)

    private static let violations: [(String, [UInt8], UInt16)] = [
        ("unmasked", WireClient.frame(.text, [0x7B], isMasked: false), 1002),
        ("RSV1", WireClient.frame(.text, [0x7B], reserved: 0x40), 1002),
        ("RSV2", WireClient.frame(.text, [0x7B], reserved: 0x20), 1002),
        ("RSV3", WireClient.frame(.text, [0x7B], reserved: 0x10), 1002),
        ("opcode 3", [0x83, 0x80, 0, 0, 0, 0], 1002),
        ("opcode 11", [0x8B, 0x80, 0, 0, 0, 0], 1002),
        ("fragmented ping", WireClient.frame(.ping, [], isFinal: false), 1002),
        ("long ping", WireClient.frame(.ping, [UInt8](repeating: 0, count: 126)), 1002),
        ("lone continuation", WireClient.frame(.continuation, [0x7B]), 1002),
        (
            "two beginnings",
            WireClient.frame(.text, [0x7B], isFinal: false) + WireClient.frame(.text, [0x7D]), 1002
        ),
        ("length not minimal", [0x81, 0xFE, 0, 1, 0, 0, 0, 0, 0x7B], 1002),
        ("64-bit length not minimal", [0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x7B], 1002),
        ("length with top bit", [0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], 1002),
        ("absurd length", [0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 1009),
        ("too big", WireClient.frame(.text, big), 1009),
        (
            "too big in fragments",
            WireClient.frame(.text, Array(big.dropLast()), isFinal: false) + WireClient.frame(.continuation, [0x20]),
            1009
        ),
        ("text not UTF-8", WireClient.frame(.text, [0xC3, 0x28]), 1007),
        ("surrogate", WireClient.frame(.text, [0xED, 0xA0, 0x80]), 1007),
        ("overlong", WireClient.frame(.text, [0xC0, 0xAF]), 1007),
        ("close of one byte", WireClient.frame(.close, [3]), 1002),
        ("close 1005", WireClient.frame(.close, [3, 0xED]), 1002),
        ("close 999", WireClient.frame(.close, [3, 0xE7]), 1002),
        ("close of a fragment", WireClient.frame(.close, [3, 0xE8], isFinal: false), 1002),
        ("deflated without agreement", WireClient.frame(.close, [3, 0xE8], reserved: 0x40), 1002),
        ("close text not UTF-8", WireClient.frame(.close, [3, 0xE8, 0xFF]), 1007),
    ]

    @Test func violationsEndTheConnectionAndNoOther() async throws {
        try await House.with { house in
            let healthy = try await house.client()
            for (name, bytes, code) in Self.violations {
                let client = try await house.connect()
                // A megabyte may still be on its way when the close frame comes.
                try? await client.send(frame: bytes)
                let close = try await client.closeFrame()
                #expect(close.code == code, "\(name)")
                await client.close()
                #expect(try await healthy.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
            }
            let total = house.proxy.counters.snapshot().protocolErrors.values.reduce(0, +)
            #expect(total == Self.violations.count)
        }
    }

    /// Behind our close frame there is nothing more to read, whatever the other side does; and when it has closed too, or was
    /// closing when it broke the rules, the connection ends at once. (The house's deadline is 20 s.)
    @Test(arguments: violations.indices) func afterAViolationTheSocketIsClosed(index: Int) async throws {
        let (name, bytes, code) = Self.violations[index]
        try await House.with { house in
            let client = try await house.connect()
            let start = ContinuousClock.now
            // In one write, so that the answer is there before the question.
            try? await client.send(frame: bytes + WireClient.frame(.close, [UInt8(code >> 8), UInt8(code & 0xFF)]))
            #expect(try await client.closeFrame().code == code, "\(name)")
            try await client.closed()
            // An absurd length is never at its end, but the client's side is: it ends behind ours.
            #expect(start.duration(to: .now) < .seconds(5), "\(name)")
        }
    }

    /// A client that reads to the end but closes nothing itself.
    @Test func whoeverDoesNotAnswerIsDropped() throws {
        for bytes in [[0x81, 0x81, 0, 0, 0, 0, 0xFF] as [UInt8], WireClient.frame(.text, [0x7B], isMasked: false)] {
            let bench = try Bench()
            try bench.channel.pipeline.syncOperations.addHandler(OpenHalf(), position: .first)
            try bench.receive(bytes)
            #expect(try bench.sent().last?.opcode == 8)
            bench.advance(seconds: 1.75)
            #expect(bench.channel.isActive)
            // Neither half an answer nor other frames are one.
            try bench.receive(WireClient.frame(.text, [UInt8](repeating: 8, count: 300)) + [0x88])
            bench.advance(seconds: 0.25)
            #expect(!bench.channel.isActive)
        }
    }

    /// The client's close frame ends the connection wherever it lies among other bytes, and at once.
    @Test func theAnswerIsFoundAmongOtherFrames() throws {
        let broken = WireClient.frame(.text, [0xFF])
        let more = WireClient.frame(.text, [UInt8](repeating: 0x88, count: 70_000)) + WireClient.frame(.ping, [1])
        for piece in [1, 3, 1_000, 100_000] {
            let bench = try Bench()
            try bench.channel.pipeline.syncOperations.addHandler(OpenHalf(), position: .first)
            try bench.receive(broken)
            let answer = more + WireClient.frame(.close, [3, 0xEF])
            for start in stride(from: 0, to: answer.count, by: piece) {
                #expect(bench.channel.isActive)
                try bench.receive(Array(answer[start..<min(start + piece, answer.count)]))
            }
            #expect(!bench.channel.isActive)
        }
    }

    /// Keeps the other half open, as a socket does; an embedded channel knows no halves.
    private final class OpenHalf: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            if mode == .output { promise?.succeed() } else { context.close(mode: mode, promise: promise) }
        }
    }

    @Test func fragmentsBinaryAndControlFramesBetween() async throws {
        try await House.with { house in
            let client = try await house.connect()
            let request = Array(#"{"action":"ping","_pingId":"é"}"#.utf8)
            for (index, byte) in request.enumerated() {
                let isFinal = index == request.count - 1
                try await client.send(
                    frame: WireClient.frame(index == 0 ? .text : .continuation, [byte], isFinal: isFinal))
                if index == 5 { try await client.send(frame: WireClient.frame(.ping, [1, 2, 3])) }
            }
            #expect(try await client.next() == .init(opcode: 10, isCompressed: false, payload: [1, 2, 3]))
            #expect(try await client.json()["_pingId"] == "é")
            try await client.send(frame: WireClient.frame(.binary, request))
            #expect(try await client.json()["_pingId"] == "é")
            // Not text, so it is the JSON that is wrong.
            try await client.send(frame: WireClient.frame(.binary, [0x22, 0xFF, 0x22]))
            #expect(try await client.json()["code"] == "INVALID_JSON")
            try await client.send(frame: WireClient.frame(.text, []))
            #expect(try await client.json()["code"] == "INVALID_JSON")
        }
    }

    @Test(arguments: [[], [3, 0xE8], [3, 0xE8, 0x62, 0x79, 0x65], [0x0F, 0xA0]]) func closeIsAnswered(
        payload: [UInt8]
    ) async throws {
        try await House.with { house in
            let client = try await house.connect()
            try await client.send(frame: WireClient.frame(.close, payload))
            #expect(try await client.next() == .init(opcode: 8, isCompressed: false, payload: Array(payload.prefix(2))))
            try await client.closed()
        }
    }

    @Test func stopSendsGoingAway() async throws {
        try await House.with { house in
            let client = try await house.client()
            async let stopped: Void = house.proxy.stop()
            let close = try await client.closeFrame()
            #expect(close.code == 1001)
            try await client.send(frame: WireClient.frame(.close, [3, 0xE9]))
            try await client.closed()
            await stopped
        }
    }

    @Test func compressedRequestsAndReplies() async throws {
        try await House.with { house in
            let client = try await house.connect(
                headers: "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
            #expect(client.head.range(of: "permessage-deflate; server_no_context_takeover") != nil)
            let text = #"{"action":"ping","_pingId":"\#(String(repeating: "x", count: 1000))"}"#
            try await client.send(frame: try Self.compressed(text))
            let reply = try await client.next()
            #expect(reply.isCompressed && reply.payload.count < 200)
            let inflated = try Inflater().inflate(ByteBuffer(bytes: reply.payload), limit: 10_000)
            #expect(try JSONParser.parse(inflated)["_pingId"] == .string(String(repeating: "x", count: 1000)))
            // Short replies are sent as they are.
            try await client.send(#"{"action":"ping"}"#)
            #expect(try await client.next().isCompressed == false)
            // A bomb of 3 MB in 3 KB.
            try await client.send(frame: try Self.compressed(String(repeating: " ", count: 3 << 20)))
            #expect(try await client.closeFrame().code == 1009)
        }
    }

    private static func compressed(_ text: String) throws -> [UInt8] {
        var text = text
        var frame = ByteBuffer()
        let deflater = try Deflater()
        #expect(text.withUTF8 { deflater.writeFrame(.text, payload: UnsafeRawBufferPointer($0), to: &frame) })
        let payload = frame.readableBytes < 126 + 2 ? 2 : 4
        return WireClient.frame(.text, Array(frame.readableBytesView.dropFirst(payload)), reserved: 0x40)
    }
}
