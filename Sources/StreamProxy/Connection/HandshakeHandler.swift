import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import NIOWebSocket

/// Answers a connection's HTTP request: with the upgrade to WebSocket on any path, or with 426.
///
/// NIO computes the answer; its upgrade handlers are not used, because they leave a frame encoder and an error handler in
/// the pipeline of every connection.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let shard: Shard
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private let entrance: Entrance
    private let visitor: Visitor
    private var deadline: NIODeadline
    private var context: ChannelHandlerContext?
    private var request: HTTPRequestHead?
    private var isAnswered = false
    private var isUpgraded = false

    /// Puts the handshake into a new connection's pipeline.
    static func start(on channel: any Channel, shard: Shard, entrance: Entrance = Entrance()) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderListSize = 64 << 10
        limits.maxHeaderFieldSize = 32 << 10
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits),
            maximumBufferSize: 128 << 10)
        let operations = channel.pipeline.syncOperations
        try operations.addHandler(decoder)
        try operations.addHandler(HandshakeHandler(shard: shard, decoder: decoder, entrance: entrance))
    }

    private init(shard: Shard, decoder: ByteToMessageHandler<HTTPRequestDecoder>, entrance: Entrance) {
        self.shard = shard
        self.decoder = decoder
        self.entrance = entrance
        visitor = Visitor(shard.admission, shard.counters)
        deadline = shard.loop.now + shard.configuration.handshakeTimeout
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        shard.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave() }

    func channelActive(context: ChannelHandlerContext) {
        let peer = PeerAddress(context.channel.remoteAddress)
        let isKnown = !shard.forwarded.trusts(peer, isUnix: entrance.isUnix)
        if let refusal = visitor.enter(isKnown ? peer : nil, now: shard.loop.now) {
            say("connection turned away", peer, ["why": "\(refusal)"])
            turnAway(refusal)
        }
        context.fireChannelActive()
    }

    // A health probe connects and closes without a word: no reason to say anything.
    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    private func leave() {
        guard context != nil else { return }
        context = nil
        shard.remove(self)
        // Otherwise the client has it now.
        if !isUpgraded { visitor.leave(now: shard.loop.now) }
    }

    private func say(_ kind: String, _ client: PeerAddress?, _ metadata: Logger.Metadata) {
        let address = client ?? PeerAddress(context?.channel.remoteAddress)
        shard.log.write(
            .info, kind, now: shard.loop.now, metadata.merging(["address": "\(address)"]) { first, _ in first })
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Whoever has left in the middle of a request gets no answer.
        guard context.channel.isActive else { return }
        if entrance.isTLS, Self.isFailedHandshake(error) {
            shard.counters.tlsFailures.add()
            say("TLS handshake failed", visitor.address, ["why": "\(error)"])
            return drop()
        }
        if error is HTTPParserError || error is ByteToMessageDecoderError {
            shard.counters.count(.handshake)
            refuse(.badRequest, "This is not an HTTP request.")
        } else {
            drop()
        }
    }

    private static func isFailedHandshake(_ error: any Error) -> Bool {
        if case .handshakeFailed? = error as? NIOSSLError { true } else { false }
    }

    func sweep(_ now: NIODeadline) {
        if now >= deadline { drop() }
    }

    func drop() { context?.close(mode: .all, promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isAnswered else { return }
        switch unwrapInboundIn(data) {
        case .head(let head) where Self.wantsWebSocket(head): request = head
        case .head(let head):
            refuse(
                head.method == .GET || head.method == .HEAD ? .upgradeRequired : .methodNotAllowed,
                "This is a WebSocket endpoint.")
        case .body: break
        case .end: if let request { answer(request) }
        }
    }

    private static func wantsWebSocket(_ head: HTTPRequestHead) -> Bool {
        func has(_ token: String, in name: String) -> Bool {
            head.headers[canonicalForm: name].contains { $0.lowercased() == token }
        }
        return head.method == .GET && head.version == .http1_1 && has("websocket", in: "Upgrade")
            && has("upgrade", in: "Connection")
    }

    private func answer(_ head: HTTPRequestHead) {
        isAnswered = true
        guard let context, !shard.isDraining else { return drop() }
        guard isWelcome(head, context) else { return }
        let extensions = DeflateOffer.answer(to: head.headers["Sec-WebSocket-Extensions"])
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        upgrader.buildUpgradeResponse(
            channel: context.channel, upgradeRequest: head, initialResponseHeaders: HTTPHeaders()
        ).assumeIsolated().whenComplete { result in
            switch result {
            case .success(var headers):
                if let extensions { headers.add(name: "Sec-WebSocket-Extensions", value: extensions) }
                self.upgrade(headers, deflates: extensions != nil)
            case .failure:
                self.shard.counters.count(.handshake)
                self.refuse(
                    head.headers.first(name: "Sec-WebSocket-Version") == "13" ? .badRequest : .upgradeRequired,
                    "Sec-WebSocket-Version must be 13, with one Sec-WebSocket-Key.")
            }
        }
    }

    /// Looks at where the page is from that asks, and at who is behind a reverse proxy; answers whoever is not let in.
    private func isWelcome(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) -> Bool {
        if visitor.address == nil {
            let client = shard.forwarded.address(
                of: PeerAddress(context.channel.remoteAddress), isUnix: entrance.isUnix,
                head.headers["X-Forwarded-For"])
            if let refusal = visitor.identify(client, now: shard.loop.now) {
                say("connection turned away", client, ["why": "\(refusal)"])
                refuse(.tooManyRequests, refusal.text)
                return false
            }
        }
        let rules = shard.configuration.origins
        guard !rules.isEmpty, let origin = head.headers.first(name: "Origin") else { return true }
        let host = head.headers.first(name: "Host")
        if rules.contains(where: { $0.allows(origin, host: host) }) { return true }
        shard.counters.originsRefused.add()
        say("page turned away", visitor.address, ["origin": "\(origin.excerpt)"])
        refuse(.forbidden, "Pages of this origin may not connect here; proxy.origins lists those that may.")
        return false
    }

    /// Nobody has asked yet, and a socket that is closed before its request comes takes the answer with it. So this half
    /// is closed, and the rest when the other side has understood, or soon.
    private func turnAway(_ refusal: Admission.Refusal) {
        guard let context, !entrance.isTLS else { return drop() }
        isAnswered = true
        deadline = shard.loop.now + .seconds(1)
        respond(.tooManyRequests, refusal.text, context)
        context.close(mode: .output, promise: nil)
    }

    private func upgrade(_ headers: HTTPHeaders, deflates: Bool) {
        guard let context else { return }
        // AmiBroker's plugin looks for these very words (client-protocol.md section 1).
        write("101 Switching Protocols", headers, body: "", context)
        let client = Client(shard: shard, deflates: deflates, entrance: entrance, visitor: visitor)
        let operations = context.pipeline.syncOperations
        do {
            try operations.addHandler(client, position: .after(self))
        } catch {
            return drop()
        }
        isUpgraded = true
        // In this order: the decoder hands the bytes that came after the request to whoever is next.
        operations.removeHandler(self, promise: nil)
        operations.removeHandler(decoder, promise: nil)
    }

    private func refuse(_ status: HTTPResponseStatus, _ text: String) {
        isAnswered = true
        guard let context else { return }
        respond(status, text, context)
        context.close(mode: .all, promise: nil)
    }

    private func respond(_ status: HTTPResponseStatus, _ text: String, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders([("Connection", "close"), ("Content-Type", "text/plain; charset=utf-8")])
        if status == .upgradeRequired {
            headers.replaceOrAdd(name: "Connection", value: "Upgrade, close")
            headers.add(name: "Upgrade", value: "websocket")
            headers.add(name: "Sec-WebSocket-Version", value: "13")
        }
        if status == .tooManyRequests { headers.add(name: "Retry-After", value: "5") }
        headers.add(name: "Content-Length", value: String(text.utf8.count + 1))
        write("\(status.code) \(status.reasonPhrase)", headers, body: "\(text)\n", context)
    }

    private func write(_ status: String, _ headers: HTTPHeaders, body: String, _ context: ChannelHandlerContext) {
        var bytes = ByteBuffer(string: "HTTP/1.1 \(status)\r\n")
        for (name, value) in headers { bytes.writeString("\(name): \(value)\r\n") }
        bytes.writeString("\r\n\(body)")
        context.writeAndFlush(NIOAny(bytes), promise: nil)
    }
}
