import NIOCore
import NIOPosix

@testable import BrokerSimulator

/// A client of a simulator, as bare as possible: what it reads is what was on the wire.
final class TestSocket {
    struct Frame: Equatable {
        var opcode: UInt8
        var payload: [UInt8]

        var text: String { String(decoding: payload, as: UTF8.self) }
    }

    struct Answer {
        var status: Int
        /// Names in small letters.
        var headers: [String: String]
        var body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let continuation: AsyncStream<ByteBuffer>.Continuation

        init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            continuation.yield(Self.unwrapInboundIn(data))
        }
        func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let channel: any Channel
    private var incoming: AsyncStream<ByteBuffer>.Iterator
    private var waiting = ByteBuffer()

    init(port: Int) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        incoming = stream.makeAsyncIterator()
    }

    /// Asks for an upgrade; the socket is a WebSocket afterwards if the status is 101.
    func upgrade(_ target: String, headers: [String: String] = [:]) async throws -> Answer {
        var all = headers
        all["Connection"] = "Upgrade"
        all["Upgrade"] = "websocket"
        all["Sec-WebSocket-Version"] = "13"
        all["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
        return try await request("GET", target, headers: all)
    }

    func request(
        _ method: String, _ target: String, headers: [String: String] = [:], body: String = ""
    ) async throws -> Answer {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.utf8.count)\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        try await write(Array("\(text)\r\n\(body)".utf8))
        return try await answer()
    }

    /// Sends a masked frame; the mask is 0, so that the payload stays readable.
    func send(_ text: String, opcode: UInt8 = 1, isLast: Bool = true) async throws {
        let payload = Array(text.utf8)
        var bytes: [UInt8] = [(isLast ? 0x80 : 0) | opcode]
        if payload.count < 126 {
            bytes.append(0x80 | UInt8(payload.count))
        } else {
            bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        }
        try await write(bytes + [0, 0, 0, 0] + payload)
    }

    func write(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    /// The next frame, or nil when the server has hung up.
    func frame() async -> Frame? {
        guard await fill(2), var header = waiting.readBytes(length: 2) else { return nil }
        var length = Int(header[1] & 0x7F)
        if length == 126 {
            guard await fill(2), let long = waiting.readInteger(as: UInt16.self) else { return nil }
            length = Int(long)
        } else if length == 127 {
            guard await fill(8), let long = waiting.readInteger(as: UInt64.self) else { return nil }
            length = Int(long)
        }
        guard await fill(length), let payload = waiting.readBytes(length: length) else { return nil }
        header[0] &= 0x0F
        return Frame(opcode: header[0], payload: payload)
    }

    func close() async { try? await channel.close().get() }

    /// Waits until so many bytes are there.
    private func fill(_ count: Int) async -> Bool {
        while waiting.readableBytes < count {
            guard let more = await incoming.next() else { return false }
            waiting.writeImmutableBuffer(more)
        }
        return true
    }

    struct NoAnswer: Error {}

    private func answer() async throws -> Answer {
        var lines: [String] = []
        while lines.last != "" { lines.append(try await line()) }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = String(parts[1].drop(while: \.isWhitespace))
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }), await fill(length)
        else { throw NoAnswer() }
        return Answer(status: status, headers: headers, body: waiting.readBytes(length: length) ?? [])
    }

    private func line() async throws -> String {
        while true {
            if let end = waiting.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
                let length = end - waiting.readerIndex
                let text = waiting.readString(length: length) ?? ""
                waiting.moveReaderIndex(forwardBy: 1)
                return String(text.dropLast())
            }
            guard await fill(waiting.readableBytes + 1) else { throw NoAnswer() }
        }
    }
}

/// A simulator for the time of a test: no ticks but those of faults, a clock that stands still, and no heartbeats, which would
/// come between the frames of a test on a slow machine.
func withSimulator<Value>(
    _ venue: VenueKind, _ change: (inout SimulatorOptions) -> Void = { _ in }, heartbeats: Bool = false,
    _ body: (SimulatorServer) async throws -> Value
) async throws -> Value {
    var options = SimulatorOptions(venue: venue)
    options.rate = 0
    options.clock = { testTime }
    change(&options)
    let server = try await SimulatorServer.start(options)
    do {
        if !heartbeats { try await server.perform(Fault("heartbeats", body: #"{"on":false}"#)) }
        let value = try await body(server)
        await server.stop()
        return value
    } catch {
        await server.stop()
        throw error
    }
}

/// 23 November 2026, 09:15 in India.
let testTime: UInt64 = 1_795_405_500_000_000_000
