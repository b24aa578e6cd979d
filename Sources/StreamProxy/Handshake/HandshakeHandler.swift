import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import NIOWebSocket

/// Answers a connection's HTTP request: with the upgrade to WebSocket on any path, or with why not.
///
/// NIO computes the answer's key; its upgrade handlers are not used, because they leave a frame encoder and an error handler
/// in the pipeline of every connection.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler, Arrival {
    typealias InboundIn = ByteBuffer

    private let shard: Shard
    private let entrance: Entrance
    private let visitor: Visitor
    private var deadline: NIODeadline
    private var context: ChannelHandlerContext?
    private var reader = RequestHeadReader()
    private var isAnswered = false
    private var isUpgraded = false

    /// Puts the handshake into a new connection's pipeline.
    static func start(on channel: any Channel, shard: Shard, entrance: Entrance = Entrance()) throws {
        try channel.pipeline.syncOperations.addHandler(HandshakeHandler(shard: shard, entrance: entrance))
    }

    private init(shard: Shard, entrance: Entrance) {
        self.shard = shard
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
        drop()
    }

    private static func isFailedHandshake(_ error: any Error) -> Bool {
        if case .handshakeFailed? = error as? NIOSSLError { true } else { false }
    }

    func sweep(_ now: NIODeadline) {
        if now >= deadline { drop() }
    }

    func drop() { context?.close(mode: .all, promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What comes behind a request that was refused is read away.
        guard !isAnswered else { return }
        reader.append(unwrapInboundIn(data))
        do throws(RequestFault) {
            guard let head = try reader.next() else { return }
            isAnswered = true
            guard !shard.isDraining else { return drop() }
            try answer(try UpgradeRequest(head), head, context)
        } catch {
            // Somebody who looks what is here has done nothing wrong.
            if error.status != .upgradeRequired || reader.isUpgrade { shard.counters.count(.handshake) }
            refuse(error.status, error.text)
        }
    }

    private func answer(
        _ request: UpgradeRequest, _ head: RequestHead, _ context: ChannelHandlerContext
    ) throws(RequestFault) {
        guard try isWelcome(head, context) else { return }
        let deflate = DeflateOffer.accept(request.offers) {
            shard.counters.reserve(window: $0, limit: shard.configuration.maxWindows)
        }
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        let fields = HTTPHeaders([("Sec-WebSocket-Key", request.key), ("Sec-WebSocket-Version", "13")])
        upgrader.buildUpgradeResponse(
            channel: context.channel,
            upgradeRequest: HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: fields),
            initialResponseHeaders: HTTPHeaders()
        ).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let headers): self.upgrade(headers, deflate)
            case .failure:
                self.shard.counters.giveBack(window: deflate?.window ?? 0)
                self.refuse(.badRequest, "There must be one Sec-WebSocket-Key: 16 bytes in base64.")
            }
        }
    }

    /// Looks at where the page is from that asks, and at who is behind a reverse proxy; answers whoever is not let in.
    private func isWelcome(_ head: RequestHead, _ context: ChannelHandlerContext) throws(RequestFault) -> Bool {
        if visitor.address == nil {
            let client = shard.forwarded.address(
                of: PeerAddress(context.channel.remoteAddress), isUnix: entrance.isUnix,
                head.values("x-forwarded-for"))
            if let refusal = visitor.identify(client, now: shard.loop.now) {
                say("connection turned away", client, ["why": "\(refusal)"])
                refuse(.tooManyRequests, refusal.text)
                return false
            }
        }
        let rules = shard.configuration.origins
        let origins = head.values("origin")
        guard !rules.isEmpty, let origin = origins.first else { return true }
        guard origins.count == 1 else { throw .bad("Origin is there more than once.") }
        let host = head.values("host").first
        if rules.contains(where: { $0.allows(origin, host: host) }) { return true }
        shard.counters.originsRefused.add()
        say("page turned away", visitor.address, ["origin": "\(origin.excerpt)"])
        refuse(.forbidden, "Pages of this origin may not connect here; proxy.origins lists those that may.")
        return false
    }

    /// Nobody has asked yet: the answer is there before the question.
    private func turnAway(_ refusal: Admission.Refusal) {
        if entrance.isTLS { drop() } else { refuse(.tooManyRequests, refusal.text) }
    }

    private func upgrade(_ headers: HTTPHeaders, _ deflate: DeflateOffer?) {
        guard let context else { return shard.counters.giveBack(window: deflate?.window ?? 0) }
        // AmiBroker's plugin looks for these very words (client-protocol.md section 1).
        var answer = ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\n")
        for (name, value) in headers { answer.writeString("\(name): \(value)\r\n") }
        if let deflate { answer.writeString("Sec-WebSocket-Extensions: \(deflate.answer)\r\n") }
        answer.writeString("\r\n")
        context.writeAndFlush(NIOAny(answer), promise: nil)
        let client = Client(
            shard: shard, deflates: deflate != nil, window: deflate?.window ?? 0, entrance: entrance, visitor: visitor)
        do {
            try context.pipeline.syncOperations.addHandler(client, position: .after(self))
        } catch {
            shard.counters.giveBack(window: deflate?.window ?? 0)
            return drop()
        }
        isUpgraded = true
        // Frames may have come with the request.
        if reader.bytes.readableBytes > 0 { context.fireChannelRead(NIOAny(reader.bytes)) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    /// Answers, and ends this half of the connection. What still comes is read away for a moment: a socket that is closed
    /// with unread bytes takes the answer back. (TLS has a farewell of its own.)
    private func refuse(_ status: AnswerStatus, _ text: String) {
        isAnswered = true
        guard let context else { return }
        var answer = ByteBuffer(string: "HTTP/1.1 \(status.code) \(status.reason)\r\n\(status.fields)")
        answer.writeString("Content-Type: text/plain; charset=utf-8\r\nContent-Length: \(text.utf8.count + 1)\r\n\r\n")
        // RFC 9110 section 9.3.2: HEAD gets the fields of the answer and nothing else.
        if !reader.isHEAD { answer.writeString("\(text)\n") }
        context.writeAndFlush(NIOAny(answer), promise: nil)
        deadline = shard.loop.now + .seconds(1)
        reader = RequestHeadReader()
        context.close(mode: entrance.isTLS ? .all : .output, promise: nil)
    }
}
