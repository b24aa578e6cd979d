import MarketData
import NIOCore
import NIOHTTP1

/// Collects the answer to one request of ``MasterFetch``. Confined to its event loop.
final class MasterReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    enum Outcome: Sendable {
        case content([UInt8])
        /// What the field `Location` says.
        case moved(String)
        /// Any other answer.
        case refused(HTTPAnswer)
    }

    private let url: TransportURL
    private var promise: EventLoopPromise<Outcome>?
    private let progress: @Sendable (Int, Int?) -> Void
    private var expected: Int?
    private var bytes: [UInt8] = []
    /// An answer without the file; its body is read for whose it is.
    private var refusal: HTTPResponseHead?
    private static let longestRefusal = 16 << 10
    /// Telling each part would be thousands of calls a second.
    private var told = 0
    private static let step = 64 << 10
    /// Something may keep coming forever, a byte at a time.
    private static let longest = TimeAmount.minutes(15)
    private var limit: Scheduled<Void>?

    init(url: TransportURL, promise: EventLoopPromise<Outcome>, progress: @escaping @Sendable (Int, Int?) -> Void) {
        self.url = url
        self.promise = promise
        self.progress = progress
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        limit = context.eventLoop.assumeIsolated().scheduleTask(in: Self.longest) { [weak self] in
            self?.fail("not whole after 15 minutes", loopBound.value)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard promise != nil else { return }
        switch Self.unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let part) where refusal != nil:
            bytes.append(contentsOf: part.readableBytesView.prefix(Self.longestRefusal - bytes.count))
            if bytes.count >= Self.longestRefusal { refuse(context) }
        case .body(let part):
            guard bytes.count + part.readableBytes <= MasterFetch.maxBytes else { return tooLarge(context) }
            bytes.append(contentsOf: part.readableBytesView)
            if bytes.count - told >= Self.step {
                told = bytes.count
                progress(bytes.count, expected)
            }
        case .end where refusal != nil: refuse(context)
        case .end:
            progress(bytes.count, expected)
            finish(.success(.content(bytes)), context)
        }
    }

    private func begin(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
        switch head.status.code {
        case 200: break
        case 301, 302, 303, 307, 308:
            guard let target = head.headers.first(name: "Location") else {
                return fail("the server redirects and does not say where to", context)
            }
            return finish(.success(.moved(target)), context)
        default:
            // What the server says with it comes first.
            refusal = head
            return
        }
        let encodings = head.headers[canonicalForm: "Content-Encoding"].map { $0.lowercased() }
        // A gzip layer shows by its first bytes, and is undone with the file's own packing.
        guard encodings.allSatisfy({ ["identity", "gzip", "x-gzip"].contains($0) }) else {
            return fail("the answer is compressed in a way that nobody asked for", context)
        }
        expected = head.headers.first(name: "Content-Length").flatMap { Int($0) }
        guard expected ?? 0 <= MasterFetch.maxBytes else { return tooLarge(context) }
        bytes.reserveCapacity(expected ?? 0)
        progress(0, expected)
    }

    /// A refusal that is whole, or as much of it as is of use.
    private func refuse(_ context: ChannelHandlerContext) {
        guard let head = refusal else { return }
        let answer = HTTPAnswer(head: head, body: ByteBuffer(bytes: bytes))
        finish(.success(.refused(answer)), context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            refuse(context)
            fail("the server has gone silent", context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        refuse(context)
        fail("closed before the file was whole", context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error as? HTTPParserError == .invalidEOFState { return fail("closed before the file was whole", context) }
        finish(.failure(FeedError(.brokerConnection, "\(Dialer.failure(error, url: url))")), context)
    }

    private func tooLarge(_ context: ChannelHandlerContext) {
        fail("the file is larger than \(MasterFetch.maxBytes >> 20) MiB", context)
    }

    private func fail(_ message: String, code: FeedError.Code = .brokerConnection, _ context: ChannelHandlerContext) {
        finish(.failure(FeedError(code, "\(url): \(message)")), context)
    }

    private func finish(_ result: Result<Outcome, any Error>, _ context: ChannelHandlerContext) {
        guard let promise else { return }
        self.promise = nil
        limit?.cancel()
        promise.completeWith(result)
        context.close(promise: nil)
    }
}
