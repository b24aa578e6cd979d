import CFeedhostABI
import NIOCore
import NIOHTTP1
import NIOSSL
import NIOWebSocket

/// A WebSocket to a broker, or to a Feedhost server. Confined to its event loop.
///
/// It masks what it sends, joins fragments, answers pings and watches its own; permessage-deflate is not offered:
/// brokers' frames are small and mostly binary, and inflating would put a second copy of each on the way of a tick.
public final class WebSocketConnection {
    /// Limits and times. Milliseconds.
    public struct Options: Sendable {
        /// For connecting, TLS and the upgrade together.
        public var timeout: Int64 = 10_000
        /// So often a ping is sent; nil = never.
        public var pingInterval: Int64?
        /// The connection counts as lost when a pong takes longer.
        public var pongTimeout: Int64 = 10_000
        /// Bytes of a message, joined.
        public var maxMessage = 16 << 20
        /// Bytes that may wait to be sent.
        public var maxUnsent = 1 << 20
        /// Nil trusts what the route trusts.
        public var tls: NIOSSLContext?
        public var route = OutboundRoute()
        public var clock = LaneClock()

        public init() {}
    }

    enum State {
        case connecting
        case upgrading(any Channel)
        case open(any Channel)
        /// A close frame is on its way; nothing more is heard.
        case closing
        case closed
    }

    /// Bytes of a refusal's body that are kept.
    static let maxRefusal = 65_536
    /// How long the other side has to answer a close frame.
    private static let closeGrace = TimeAmount.seconds(2)

    public let url: TransportURL
    let loop: any EventLoop
    let options: Options
    var state = State.connecting
    var limit: Scheduled<Void>?
    var heartbeat: WebSocketHeartbeat?
    /// The route that is left to try, and what came of the one before.
    var detour: Detour?
    var setback: Setback?
    var patience: Scheduled<Void>?
    private(set) var events: WebSocketEvents?
    private var unsent = 0
    private var isPaused = false

    /// Starts to connect.
    /// - Throws: `FH_E_INVALID` for a URL or a header field that cannot be used. Everything else comes as an event.
    public static func connect(
        to url: TransportURL, fields: [HeaderField] = [], on loop: any EventLoop, options: Options = Options(),
        events: WebSocketEvents
    ) throws(TransportFailure) -> WebSocketConnection {
        guard url.scheme.isWebSocket else {
            throw TransportFailure(FH_E_INVALID, "\(url): a WebSocket needs ws or wss")
        }
        let headers = try HeaderRules.headers(fields, url: url)
        let connection = WebSocketConnection(url: url, loop: loop, options: options, events: events)
        connection.dial(headers)
        return connection
    }

    private init(url: TransportURL, loop: any EventLoop, options: Options, events: WebSocketEvents) {
        loop.preconditionInEventLoop()
        self.url = url
        self.loop = loop
        self.options = options
        self.events = events
    }

    /// Sends one message.
    /// - Throws: `FH_E_STATE` unless open, `FH_E_LIMIT` when too much is waiting, `FH_E_INVALID` for an oversized ping.
    public func send(_ opcode: WebSocketMessageKind, _ bytes: ByteBuffer) throws(TransportFailure) {
        guard case .open(let channel) = state else { throw TransportFailure(FH_E_STATE, "\(url): not open") }
        let size = bytes.readableBytes
        if opcode == .ping || opcode == .pong, size > 125 {
            throw TransportFailure(FH_E_INVALID, "\(url): a ping holds 125 bytes at the most")
        }
        guard unsent + size <= options.maxUnsent else {
            throw TransportFailure(FH_E_LIMIT, "\(url): \(unsent) bytes are waiting to be sent")
        }
        write(opcode.frameOpcode, bytes, on: channel)
    }

    /// Ends the connection; no event comes afterwards.
    /// - Parameter code: A close code that may be sent; anything else counts as 1000.
    public func close(code: UInt16 = 1_000) {
        events = nil
        switch state {
        case .connecting: state = .closed
        case .upgrading(let channel):
            state = .closed
            channel.close(promise: nil)
        case .open(let channel):
            sendClose(WebSocketCloseCode.isSendable(code) ? code : 1_000, on: channel)
        case .closing, .closed: break
        }
        endTimers()
    }

    /// Stops and resumes reading, so that the broker's bytes wait in the kernel and not here. Meanwhile missing pongs
    /// are no sign of anything.
    public func setPaused(_ paused: Bool) {
        guard paused != isPaused else { return }
        isPaused = paused
        heartbeat?.isPaused = paused
        if case .open(let channel) = state {
            try? channel.syncOptions?.setOption(.autoRead, value: !paused)
        }
    }
}

// What the pipeline and the timers call.
extension WebSocketConnection {
    func didOpen(_ answer: HTTPAnswer, on channel: any Channel) {
        limit?.cancel()
        limit = nil
        patience?.cancel()
        guard case .upgrading = state else { return }
        state = .open(channel)
        rememberDetour(of: channel)
        if isPaused { try? channel.syncOptions?.setOption(.autoRead, value: false) }
        if let interval = options.pingInterval {
            heartbeat = WebSocketHeartbeat(
                connection: self, interval: .milliseconds(interval), timeout: .milliseconds(options.pongTimeout))
            heartbeat?.isPaused = isPaused
        }
        events?.opened(answer)
    }

    func didReceive(_ opcode: WebSocketMessageKind, _ bytes: ByteBuffer) {
        guard case .open = state else { return }
        if opcode == .pong, heartbeat?.answered(bytes) == true { return }
        events?.received(opcode, bytes, options.clock.now())
    }

    /// A frame of the protocol's own: it goes out whatever is waiting.
    func write(_ opcode: WebSocketOpcode, _ bytes: ByteBuffer, on channel: any Channel) {
        let size = bytes.readableBytes
        unsent += size
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: bytes)
        channel.writeAndFlush(frame).assumeIsolated().whenComplete { [self] _ in unsent -= size }
    }

    /// The server's close frame: answered, and the end.
    func didReceiveClose(code: UInt16?, reason: String, on channel: any Channel) {
        guard case .open = state else { return channel.close(promise: nil) }
        sendClose(code ?? 1_000, on: channel)
        finish(WebSocketClose(code: code ?? 1_006, reason: reason))
    }

    /// The server broke the protocol.
    func fail(code: UInt16, _ message: String, on channel: any Channel) {
        guard case .open = state else { return }
        sendClose(code, on: channel)
        finish(WebSocketClose(code: code, failure: TransportFailure(FH_E_NETWORK, "\(url): \(message)")))
    }

    /// The connection broke, or could not be made.
    func lose(_ failure: TransportFailure?, refusal: HTTPAnswer? = nil) {
        // First the state, then the channel: closing it brings this call again.
        switch state {
        case .closing, .closed: return
        case .connecting: state = .closed
        case .upgrading(let channel), .open(let channel):
            state = .closed
            channel.close(promise: nil)
        }
        finish(WebSocketClose(refusal: refusal, failure: failure))
    }

    /// Delivers the last event, once.
    private func finish(_ close: WebSocketClose) {
        endTimers()
        guard let events else { return }
        self.events = nil
        events.closed(close)
    }

    private func endTimers() {
        limit?.cancel()
        limit = nil
        patience?.cancel()
        patience = nil
        heartbeat?.stop()
        heartbeat = nil
    }

    private func sendClose(_ code: UInt16, on channel: any Channel) {
        state = .closing
        // Reading goes on, or the answer to the close frame is never seen.
        if isPaused { try? channel.syncOptions?.setOption(.autoRead, value: true) }
        var data = ByteBuffer()
        data.writeInteger(code)
        write(.connectionClose, data, on: channel)
        let grace = loop.assumeIsolated().scheduleTask(in: Self.closeGrace) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in grace.cancel() }
    }
}
