import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import Synchronization

/// A server on a free port of the loopback interface that does to its client what the test says.
final class TestServer: Sendable {
    /// What is done with each connection; called on its event loop.
    enum Behaviour: Sendable {
        /// Answers the first request with these bytes, as they are, and closes.
        case raw(String)
        /// The same with bytes that are no text behind it.
        case rawBytes(String, [UInt8])
        /// Accepts the connection and closes it.
        case closes
        /// Accepts the connection and never says a word.
        case mute
        /// Upgrades to a WebSocket; the closure is called once it is open, and for every frame that comes.
        case webSocket(@Sendable (WebSocketPeer) -> Void, @Sendable (WebSocketPeer, WebSocketFrame) -> Void)
    }

    let address: SocketAddress?
    var port: Int { address?.port ?? 0 }
    private let connections = Connections()
    /// Connections that have come so far.
    var accepted: Int { connections.count.load(ordering: .relaxed) }
    /// Whom they came from, without ports.
    var sources: [String] { connections.sources.withLock { $0 } }
    private let channel: any Channel

    static let group = MultiThreadedEventLoopGroup.singleton

    private final class Connections: Sendable {
        let count = Atomic(0)
        let sources = Mutex<[String]>([])
    }

    init(_ behaviour: Behaviour, tls: NIOSSLContext? = nil, host: String = "127.0.0.1") async throws {
        let connections = connections
        channel = try await ServerBootstrap(group: Self.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                connections.count.add(1, ordering: .relaxed)
                connections.sources.withLock { $0.append(channel.remoteAddress?.ipAddress ?? "") }
                return channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try Self.configure(channel, behaviour)
                }
            }
            .bind(host: host, port: 0).get()
        address = channel.localAddress
    }

    func stop() async throws { try await channel.close() }

    private static func configure(_ channel: any Channel, _ behaviour: Behaviour) throws {
        switch behaviour {
        case .mute: break
        case .closes: channel.close(promise: nil)
        case .raw(let text): try channel.pipeline.syncOperations.addHandler(RawAnswer(Array(text.utf8)))
        case .rawBytes(let text, let bytes):
            try channel.pipeline.syncOperations.addHandler(RawAnswer(Array(text.utf8) + bytes))
        case .webSocket(let opened, let received):
            let upgrader = NIOWebSocketServerUpgrader(
                maxFrameSize: 1 << 24, automaticErrorHandling: false,
                shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(["X-Test": "yes"]) },
                upgradePipelineHandler: { channel, _ in
                    channel.eventLoop.makeCompletedFuture {
                        let peer = WebSocketPeer(channel: channel)
                        try channel.pipeline.syncOperations.addHandler(PeerHandler(peer, received))
                        opened(peer)
                    }
                })
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
        }
    }
}

/// The server's end of a WebSocket.
struct WebSocketPeer: Sendable {
    let channel: any Channel

    func send(
        _ opcode: WebSocketOpcode, _ text: String, fin: Bool = true, rsv1: Bool = false, mask: Bool = false
    ) {
        send(opcode, ByteBuffer(string: text), fin: fin, rsv1: rsv1, mask: mask)
    }

    func send(
        _ opcode: WebSocketOpcode, _ bytes: ByteBuffer, fin: Bool = true, rsv1: Bool = false, mask: Bool = false
    ) {
        let frame = WebSocketFrame(
            fin: fin, rsv1: rsv1, opcode: opcode, maskKey: mask ? .random() : nil, data: bytes)
        channel.writeAndFlush(frame, promise: nil)
    }

    func close(_ code: UInt16, _ reason: String = "") {
        var data = ByteBuffer(integer: code)
        data.writeString(reason)
        send(.connectionClose, data)
    }
}

private final class PeerHandler: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    private let peer: WebSocketPeer
    private let received: @Sendable (WebSocketPeer, WebSocketFrame) -> Void

    init(_ peer: WebSocketPeer, _ received: @escaping @Sendable (WebSocketPeer, WebSocketFrame) -> Void) {
        self.peer = peer
        self.received = received
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received(peer, Self.unwrapInboundIn(data))
    }
}

/// Reads a request's head, answers, closes.
private final class RawAnswer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let answer: [UInt8]
    private var request = ""

    init(_ answer: [UInt8]) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        request += String(buffer: Self.unwrapInboundIn(data))
        guard request.contains("\r\n\r\n") else { return }
        request = ""
        // What the client sent comes back where the answer asks for it.
        let channel = context.channel
        channel.writeAndFlush(ByteBuffer(bytes: answer)).whenComplete { _ in channel.close(promise: nil) }
    }
}
