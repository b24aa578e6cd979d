import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import StreamProxy

/// A client that shows every byte: it sends whatever a test wants, also what no library would, and hands out frames as
/// they come.
final class WireClient: Sendable {
    struct Frame: Sendable, Equatable {
        var opcode: UInt8
        var isCompressed: Bool
        var payload: [UInt8]
        var text: String { String(decoding: payload, as: UTF8.self) }
        /// Of a close frame.
        var code: UInt16? { payload.count < 2 ? nil : UInt16(payload[0]) << 8 | UInt16(payload[1]) }
        var reason: String { String(decoding: payload.dropFirst(2), as: UTF8.self) }
    }

    struct Closed: Error {}

    let channel: any Channel
    let head: String
    private let inbox: Inbox

    private init(channel: any Channel, inbox: Inbox, head: String) {
        self.channel = channel
        self.inbox = inbox
        self.head = head
    }

    /// Connects and shakes hands.
    /// - Parameter unix: The path of a Unix socket; then the port means nothing.
    static func connect(
        port: Int = 0, unix: String? = nil, path: String = "/", headers: String = "", trailing: [UInt8] = []
    ) async throws -> WireClient {
        let inbox = Inbox()
        let channel = try await open(port: port, unix: unix, inbox: inbox)
        let request = """
            GET \(path) HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\(headers)\r\n
            """
        try await channel.writeAndFlush(ByteBuffer(bytes: Array(request.utf8) + trailing)).get()
        return WireClient(channel: channel, inbox: inbox, head: try await inbox.head())
    }

    /// Sends a raw request and returns everything that comes until the server closes.
    static func exchange(port: Int, _ request: String) async throws -> String {
        try await exchange(port: port, Array(request.utf8))
    }

    static func exchange(port: Int, _ request: [UInt8]) async throws -> String {
        let inbox = Inbox()
        let channel = try await open(port: port, inbox: inbox)
        // Fails when the server has said everything before it was asked.
        try? await channel.writeAndFlush(ByteBuffer(bytes: request)).get()
        return try await inbox.everything()
    }

    private static func open(port: Int, unix: String? = nil, inbox: Inbox) async throws -> any Channel {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_rcvbuf), value: 8 << 10)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Feeder(inbox)) }
            }
        if let unix { return try await bootstrap.connect(unixDomainSocketPath: unix).get() }
        return try await bootstrap.connect(host: "127.0.0.1", port: port).get()
    }

    // MARK: Out

    func send(_ text: String) async throws { try await send(frame: Self.frame(.text, Array(text.utf8))) }

    func send(frame: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: frame)).get() }

    static func frame(
        _ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true, reserved: UInt8 = 0, isMasked: Bool = true
    ) -> [UInt8] {
        var bytes = [(isFinal ? 0x80 : 0) | reserved | opcode.rawValue]
        let bit: UInt8 = isMasked ? 0x80 : 0
        switch payload.count {
        case ..<126: bytes.append(bit | UInt8(payload.count))
        case ..<65536: bytes += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default:
            bytes.append(bit | 127)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        guard isMasked else { return bytes + payload }
        let mask: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    /// Stops or resumes taking bytes from the socket.
    func setReading(_ isOn: Bool) async throws { try await channel.setOption(.autoRead, value: isOn).get() }

    /// Fails only when the server has closed before.
    func close() async { try? await channel.close().get() }

    // MARK: In

    /// The next frame; waits for it. Pings are answered and passed over unless asked for.
    func next(skippingPings: Bool = true) async throws -> Frame {
        while true {
            let frame = try await inbox.frame()
            guard skippingPings, frame.opcode == Opcode.ping.rawValue else { return frame }
            try await send(frame: Self.frame(.pong, frame.payload))
        }
    }

    func reply(to text: String) async throws -> JSONValue {
        try await send(text)
        return try await json()
    }

    func json() async throws -> JSONValue { try JSONParser.parse(ByteBuffer(bytes: try await next().payload)) }

    /// The close frame that ends this connection.
    func closeFrame() async throws -> Frame {
        while true {
            let frame = try await next()
            if frame.opcode == Opcode.close.rawValue { return frame }
        }
    }

    /// Returns when the server has closed the socket.
    func closed() async throws { try await channel.closeFuture.get() }

    private final class Feeder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let inbox: Inbox
        init(_ inbox: Inbox) { self.inbox = inbox }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { inbox.add(unwrapInboundIn(data)) }
        func channelInactive(context: ChannelHandlerContext) { inbox.end() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
