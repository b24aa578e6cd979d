import CFeedhostABI
import NIOCore
import NIOHTTP1
import NIOWebSocket

extension WebSocketConnection {
    /// TCP, TLS, upgrade: one time limit for all three.
    func dial(_ headers: HTTPHeaders) {
        let timeout = TimeAmount.milliseconds(max(1, options.timeout))
        limit = loop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            guard let self else { return }
            lose(TransportFailure(FH_E_TIMEOUT, "\(url): no WebSocket in time"))
        }
        let dialer = Dialer(loop: loop, tls: options.tls)
        dialer.dial(url, timeout: timeout).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .failure(let error): lose(Dialer.failure(error, url: url))
            case .success(let channel):
                guard case .connecting = state else { return channel.close(promise: nil) }
                state = .upgrading(channel)
                do {
                    try dialer.secure(channel, for: url)
                    try addUpgrade(to: channel)
                    let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: url.target, headers: headers)
                    channel.write(HTTPClientRequestPart.head(head), promise: nil)
                    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
                } catch {
                    lose(Dialer.failure(error, url: url))
                }
            }
        }
    }

    private func addUpgrade(to channel: any Channel) throws {
        let handshake = WebSocketHandshake(connection: self)
        let bound = NIOLoopBound((self, handshake), eventLoop: loop)
        // Errors of the frame decoder come to WebSocketReader, which knows the connection's state.
        let upgrader = NIOWebSocketClientUpgrader(
            maxFrameSize: min(options.maxMessage, Int(UInt32.max)), automaticErrorHandling: false
        ) {
            channel, head in
            let (connection, handshake) = bound.value
            return channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                pipeline.removeHandler(handshake, promise: nil)
                try pipeline.addHandler(WebSocketReader(connection: connection))
                connection.didOpen(HTTPAnswer(head: head), on: channel)
            }
        }
        let upgrade: NIOHTTPClientUpgradeConfiguration = (upgraders: [upgrader], completionHandler: { _ in })
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .forwardBytes, withClientUpgrade: upgrade)
        try pipeline.addHandler(handshake)
    }
}

/// Hears what comes instead of an upgrade.
final class WebSocketHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let connection: WebSocketConnection
    private var head: HTTPResponseHead?
    private var body = ByteBuffer()

    init(connection: WebSocketConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(var part):
            let room = WebSocketConnection.maxRefusal - body.readableBytes
            if let slice = part.readSlice(length: min(room, part.readableBytes)) { body.writeImmutableBuffer(slice) }
            if part.readableBytes > 0 { refuse() }
        case .end: refuse()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if head != nil {
            refuse()
        } else {
            connection.lose(TransportFailure(FH_E_NETWORK, "\(connection.url): closed during the upgrade"))
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if head != nil {
            refuse()
        } else if error is NIOHTTPClientUpgradeError {
            connection.lose(
                TransportFailure(FH_E_NETWORK, "\(connection.url): the answer to the upgrade is not a WebSocket's"))
        } else {
            connection.lose(Dialer.failure(error, url: connection.url))
        }
    }

    /// Also at the time limit: what has come of the refusal is more use than "timed out".
    private func refuse() {
        guard let head else { return }
        self.head = nil
        connection.lose(nil, refusal: HTTPAnswer(head: head, body: body))
    }
}
