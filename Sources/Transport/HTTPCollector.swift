import CFeedhostABI
import NIOCore
import NIOHTTP1

/// Puts the parts of an answer together.
final class HTTPCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let fetch: HTTPFetch
    /// Which of the fetch's connections this is.
    private let attempt: Int
    private var head: HTTPResponseHead?
    private var body = ByteBuffer()
    private var inflater: BodyInflater?

    init(fetch: HTTPFetch, attempt: Int) {
        self.fetch = fetch
        self.attempt = attempt
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            let encodings = head.headers[canonicalForm: "Content-Encoding"].filter { $0.lowercased() != "identity" }
            if let encoding = encodings.first {
                // The name is the server's own text: only what is known is repeated.
                let name = ["gzip", "deflate", "br", "zstd"].first { encoding.lowercased() == $0 } ?? "an encoding"
                guard encodings.count == 1, name == "gzip" || name == "deflate" else {
                    return fail(FH_E_UNSUPPORTED, "the answer is compressed (\(name)) in a way that nobody asked for")
                }
                inflater = BodyInflater(limit: HTTPFetch.maxBody)
                if inflater == nil { fail(FH_E_NOMEM, "there is no memory to decompress the answer") }
            } else if let length = head.headers.first(name: "Content-Length").flatMap({ Int($0) }),
                length > HTTPFetch.maxBody
            {
                tooLarge()
            }
        case .body(let part) where inflater != nil: inflate(part)
        case .body(var part):
            guard body.readableBytes + part.readableBytes <= HTTPFetch.maxBody else { return tooLarge() }
            body.writeBuffer(&part)
        case .end: end()
        }
    }

    private func inflate(_ part: ByteBuffer) {
        do {
            try inflater?.take(part)
        } catch {
            failed(error)
        }
    }

    private func end() {
        do {
            // An answer without a body (to a HEAD, or status 304) has nothing to undo.
            if let inflater, inflater.hasInput { body = try inflater.finish() }
            tell(head.map { HTTPAnswer(head: $0, body: body) })
        } catch {
            failed(error)
        }
    }

    private func failed(_ failure: BodyInflater.Failure) {
        switch failure {
        case .tooLarge: tooLarge()
        case .corrupt: fail(FH_E_NETWORK, "the compressed answer is damaged or cut short")
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(FH_E_NETWORK, "closed before the answer was whole")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // That includes an end without TLS farewell: an answer that is not whole by then may have been cut.
        tell(head.map { HTTPAnswer(head: $0) }, Dialer.failure(error, url: fetch.url))
    }

    private func tooLarge() { fail(FH_E_LIMIT, "the answer is larger than 64 MiB") }

    private func fail(_ status: Int, _ message: String) {
        tell(head.map { HTTPAnswer(head: $0) }, TransportFailure(status, "\(fetch.url): \(message)"))
    }

    private func tell(_ answer: HTTPAnswer?, _ failure: TransportFailure? = nil) {
        fetch.ended(attempt, answer, failure)
    }
}
