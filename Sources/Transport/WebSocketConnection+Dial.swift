import CFeedhostABI
import NIOCore
import NIOHTTP1
import NIOWebSocket

extension WebSocketConnection {
    /// The other address family of the host, and what to send there.
    struct Detour {
        let headers: HTTPHeaders
        let family: AddressFamily
    }

    /// What came of the first family.
    struct Setback {
        let failure: TransportFailure?
        let refusal: HTTPAnswer?
    }

    /// TCP, TLS, upgrade: one time limit for all three, and for both families if one is not enough.
    func dial(_ headers: HTTPHeaders) {
        let timeout = TimeAmount.milliseconds(max(1, options.timeout))
        limit = loop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            guard let self else { return }
            giveUp(TransportFailure(FH_E_TIMEOUT, "\(url): no WebSocket in time"))
        }
        attempt(headers, only: nil, within: timeout)
    }

    private func attempt(_ headers: HTTPHeaders, only family: AddressFamily?, within timeout: TimeAmount) {
        let dialer = Dialer(loop: loop, route: options.route, tls: options.tls)
        dialer.dial(url, timeout: timeout, only: family).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .failure(let error): giveUp(Dialer.failure(error, url: url))
            case .success(let dialed):
                let channel = dialed.channel
                guard case .connecting = state else { return channel.close(promise: nil) }
                state = .upgrading(channel)
                if let other = dialed.other {
                    detour = Detour(headers: headers, family: other)
                    // The rest of the time is for the other family.
                    patience = loop.assumeIsolated().scheduleTask(
                        in: .nanoseconds(timeout.nanoseconds / 3)
                    ) { [weak self] in
                        guard let self else { return }
                        handshakeFailed(
                            TransportFailure(FH_E_TIMEOUT, "\(url): no answer to the upgrade"), on: channel)
                    }
                }
                do {
                    try dialer.secure(channel, for: url)
                    try addUpgrade(to: channel)
                    let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: url.target, headers: headers)
                    channel.write(HTTPClientRequestPart.head(head), promise: nil)
                    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
                } catch {
                    handshakeFailed(Dialer.failure(error, url: url), on: channel)
                }
            }
        }
    }

    /// No WebSocket on this channel. Whoever has refused, or kept silent, may stand in the way of one address family only:
    /// the other one is asked before anybody's verdict counts. A limit is not: it is about us and not about the way.
    func handshakeFailed(_ failure: TransportFailure?, refusal: HTTPAnswer? = nil, on channel: any Channel) {
        guard case .upgrading(let current) = state, current === channel else { return }
        patience?.cancel()
        guard let detour, refusal?.status ?? 500 >= 400, refusal?.status != 429 else { return giveUp(failure, refusal) }
        self.detour = nil
        setback = Setback(failure: failure, refusal: refusal)
        state = .connecting
        channel.close(promise: nil)
        let answer = refusal.map { "HTTP \($0.status)\($0.isPage ? " with a web page" : "")" }
        let what = answer.map { "\(url): \($0)" } ?? failure?.message ?? "\(url): no answer"
        events?.noticed("\(what) over \(detour.family.other.name); trying \(detour.family.name)")
        attempt(detour.headers, only: detour.family, within: .milliseconds(max(1, options.timeout)))
    }

    /// The last way has failed. What somebody has said counts for more than silence, and words for more than a page.
    private func giveUp(_ failure: TransportFailure?, _ refusal: HTTPAnswer? = nil) {
        guard let setback else { return lose(failure, refusal: refusal) }
        let refusals = [setback.refusal, refusal].compactMap { $0 }
        if let best = refusals.first(where: \.hasWords) ?? refusals.first { return lose(nil, refusal: best) }
        lose(failure ?? setback.failure)
    }

    /// The next connection begins with the family that works.
    func rememberDetour(of channel: any Channel) {
        guard setback != nil, let family = AddressFamily(channel.remoteAddress) else { return }
        options.route.memory.remember(family, for: url.host)
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
            if part.readableBytes > 0 { refuse(context) }
        case .end: refuse(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if head != nil {
            refuse(context)
        } else {
            fail("closed during the upgrade", context)
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if head != nil {
            refuse(context)
        } else if error is NIOHTTPClientUpgradeError {
            fail("the answer to the upgrade is not a WebSocket's", context)
        } else {
            connection.handshakeFailed(Dialer.failure(error, url: connection.url), on: context.channel)
        }
    }

    /// Also at the time limit: what has come of the refusal is more use than "timed out".
    private func refuse(_ context: ChannelHandlerContext) {
        guard let head else { return }
        self.head = nil
        connection.handshakeFailed(nil, refusal: HTTPAnswer(head: head, body: body), on: context.channel)
    }

    private func fail(_ message: String, _ context: ChannelHandlerContext) {
        connection.handshakeFailed(
            TransportFailure(FH_E_NETWORK, "\(connection.url): \(message)"), on: context.channel)
    }
}
