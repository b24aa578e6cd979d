import Logging
import MarketData
import NIOCore

/// One WebSocket connection: its bytes in, its requests one after another, its subscriptions. Confined to its loop.
///
/// It is the only handler in its pipeline, and an idle one holds no buffer, no timer and no task.
final class Client: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let shard: Shard
    let outbox: Outbox
    /// Position in the shard's list.
    var place = 0
    let visitor: Visitor
    let socket: ClientSocket
    private let isPlain: Bool
    /// Of memory reserved for it; see ``DeflateOffer/window``.
    let window: Int
    var reader: MessageReader
    private var isReading = false

    var standing = Standing.anonymous {
        didSet {
            let change = (standing.isAnonymous ? 0 : 1) - (oldValue.isAnonymous ? 0 : 1)
            shard.counters.authenticated.add(change)
            expiry = standing.owner?.expires
            if !standing.isAnonymous { visitor.authenticated(now: shard.loop.now) }
        }
    }
    /// When the key expires, ms since 1970; nil: never, or no key. Kept beside ``standing``, because the sweep would copy the
    /// whole account to look it up.
    private(set) var expiry: Int64?
    /// The broker that requests without `broker` mean; nil when the key permits none of the user's.
    var usualBroker: String?
    /// Whether ``usualBroker`` was asked for when the client came in. If it had no session for the client then, it has none now.
    var hasTriedUsualBroker = true
    /// The key of a user who had no broker when it was shown.
    var unsettled: UnsettledKey?
    /// The valid key that was shown last.
    var shownKey: KeyMark?
    /// By the instrument as the client wrote it; more than one for several modes and depths.
    var held: [Instrument: [Subscription]] = [:]
    /// Brokers' sessions that it has something of; the usual broker's first.
    var attachments: [Attachment] = []
    /// What it holds, counted; nil without a limit.
    var tally: InstrumentTally?
    /// References to give back as soon as no request is under way.
    var abandoned: [RouteKey] = []
    var requests = RequestQueue()
    var keepalive: Keepalive
    var ending = Ending.open
    var orders = OrderInterest()

    /// How far the end of the connection has come.
    enum Ending {
        case open
        /// We have sent a close frame; the connection is dropped at the deadline.
        case closing(NIODeadline)
        /// As `closing`, after a violation: of what the client sends, only that it has sent a close frame matters.
        case failed(NIODeadline)
        /// We have answered the client's close frame; what it sends is not even looked at.
        case deaf(NIODeadline)
        case gone
    }

    /// - Parameters:
    ///   - window: Bytes that its compressed messages may refer back to; given back when it is gone.
    ///   - entrance: Of the listener that it came by.
    init(shard: Shard, deflates: Bool, window: Int = 0, entrance: Entrance? = nil, visitor: Visitor? = nil) {
        let entrance = entrance ?? Entrance(coalesces: shard.configuration.coalesces)
        self.shard = shard
        self.visitor = visitor ?? Visitor(shard.admission, shard.counters)
        isPlain = !entrance.isTLS
        socket = ClientSocket(keepsApart: !entrance.coalesces)
        outbox = Outbox(
            socket: socket, loop: shard.loop,
            wire: Cohort.Wire(deflates: deflates, coalesces: entrance.coalesces),
            shard: (shard.counters, shard.routes.postponed))
        self.window = window
        reader = MessageReader(allowsCompression: deflates, window: window)
        keepalive = Keepalive(now: shard.loop.now, shard.configuration)
    }

    /// What is left for the answer to the request under way.
    var timeLeft: Duration { requests.timeLeft(of: shard.configuration.answer, now: shard.loop.now) }

    var isOpen: Bool {
        if case .open = ending { true } else { false }
    }

    private var isListening: Bool {
        switch ending {
        case .open, .closing: true
        case .failed, .deaf, .gone: false
        }
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        socket.attach(context, isPlain: isPlain)
        shard.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { gone() }

    func channelInactive(context: ChannelHandlerContext) { gone() }

    // The other side has reset the connection, or it timed out: nothing that anybody here could do.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { drop() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch ending {
        case .open, .closing:
            reader.append(unwrapInboundIn(data))
            readMessages()
        case .failed:
            reader.append(unwrapInboundIn(data))
            if reader.skipToClose() { drop() }
        case .deaf, .gone:
            break
        }
    }

    // MARK: In

    /// Takes messages out of the bytes that have come, until too many requests wait.
    func readMessages() {
        // Serving a request may come back here.
        guard !isReading else { return }
        isReading = true
        defer { isReading = false }
        do throws(ProtocolViolation) {
            while isListening, !requests.isFull(shard.configuration),
                let message = try reader.next(limit: longestMessage, inflater: shard.inflater)
            {
                receive(message)
            }
        } catch {
            shard.counters.count(error.kind)
            shard.log.write(.debug, "client violated the protocol", now: shard.loop.now, ["what": "\(error.kind)"])
            fail(error.close)
        }
        updateReading()
    }

    /// Nobody needs more to show a key, and whoever has shown none must not cost a megabyte of memory, or one out of a kilobyte
    /// that is compressed. What is sent behind a key while that is looked at may be as long as ever.
    private var longestMessage: Int {
        let most = shard.configuration.maxMessage
        return standing.isAnonymous && !requests.isBusy ? min(Self.inlineLimit, most) : most
    }

    private func receive(_ message: InboundMessage) {
        switch message {
        case .close(let code):
            answerClose(code)
        case .ping(let payload) where isOpen:
            outbox.answerPing(payload)
            outbox.flush()
        case .pong(let payload):
            keepalive.receivedPong(payload, now: shard.loop.now, shard.configuration)
        case .request(let bytes) where isOpen:
            shard.counters.messagesIn.add()
            requests.append(bytes, now: shard.loop.now)
            serveNext()
        case .ping, .request:
            break
        }
    }

    /// Leaves the socket unread while too many requests wait.
    private func updateReading() {
        let shouldPause = requests.isFull(shard.configuration)
        guard shouldPause != requests.isPaused else { return }
        requests.isPaused = shouldPause
        socket.setReading(!shouldPause)
    }

    // MARK: Out

    /// Sends one text message that is never dropped.
    func send(_ payload: ByteBuffer) {
        queue(payload)
        outbox.flush()
    }

    /// As ``send(_:)``, but leaves it to the caller to flush.
    func queue(_ payload: ByteBuffer) {
        guard isOpen else { return }
        outbox.append(frame(payload))
        if outbox.backlog > shard.configuration.maxQueuedControl { closeSlow() }
    }

    private func frame(_ payload: ByteBuffer) -> ByteBuffer {
        var frame = ByteBuffer()
        // A long acknowledgement is not worth the time that compressing it takes from the other clients.
        if outbox.wire.deflates, payload.readableBytes <= Outbox.chunk,
            payload.withUnsafeReadableBytes({ shard.deflater.writeFrame(.text, payload: $0, to: &frame) })
        {
            return frame
        }
        frame.clear()
        frame.reserveCapacity(payload.readableBytes + 10)
        FrameHeader.write(.text, length: payload.readableBytes, to: &frame)
        frame.writeImmutableBuffer(payload)
        return frame
    }

    /// Ends the connection without further words.
    func drop() { socket.close() }

    func detachSocket() { socket.detach() }
}
