import CFeedhostABI
import NIOCore
import NIOSSL

/// One HTTP/1.1 request on a connection of its own. Confined to its event loop.
///
/// Redirects are handed back and not followed. gzip and deflate are offered and undone; any other encoding is
/// `FH_E_UNSUPPORTED`.
final class HTTPFetch {
    /// `FH_HTTP_*`.
    enum Method: UInt32 {
        case get = 1
        case post = 2
    }

    struct Request {
        let url: TransportURL
        let method: Method
        let fields: [HeaderField]
        let body: ByteBuffer
        /// Milliseconds, for the whole answer.
        let timeout: Int64
    }

    /// At least one of both. An answer whose body failed comes with its head.
    struct Outcome {
        let answer: HTTPAnswer?
        let failure: TransportFailure?
    }

    /// Bytes of a body.
    static let maxBody = 64 << 20

    let url: TransportURL
    private let loop: any EventLoop
    private let route: OutboundRoute
    private let tls: NIOSSLContext?
    /// The other address family, and what came of the first one.
    private var detour: (() -> Void)?
    private var setback: Outcome?
    private var attempts = 0
    private var channel: (any Channel)?
    private var limit: Scheduled<Void>?
    private var completion: ((Outcome) -> Void)?

    /// - Parameter completion: Called once, later, on the event loop; not after ``cancel()``.
    /// - Throws: `FH_E_INVALID` for a URL or a header field that cannot be used.
    static func start(
        _ request: Request, on loop: any EventLoop, route: OutboundRoute = OutboundRoute(), tls: NIOSSLContext?,
        completion: @escaping (Outcome) -> Void
    ) throws(TransportFailure) -> HTTPFetch {
        guard !request.url.scheme.isWebSocket else {
            throw TransportFailure(FH_E_INVALID, "\(request.url): a request needs http or https")
        }
        let exchange = try HTTPExchange(
            request.url, fields: request.fields, body: request.method == .post ? request.body : nil,
            encodings: "gzip, deflate")
        let fetch = HTTPFetch(url: request.url, loop: loop, route: route, tls: tls, completion: completion)
        fetch.dial(exchange, .milliseconds(max(1, request.timeout)))
        return fetch
    }

    private init(
        url: TransportURL, loop: any EventLoop, route: OutboundRoute, tls: NIOSSLContext?,
        completion: @escaping (Outcome) -> Void
    ) {
        self.url = url
        self.loop = loop
        self.route = route
        self.tls = tls
        self.completion = completion
    }

    /// Ends the request; the completion is not called any more.
    func cancel() {
        completion = nil
        end()
    }

    /// The end of one connection. Somebody in the way of one address family has no last word: the other one is asked too.
    func ended(_ attempt: Int, _ answer: HTTPAnswer?, _ failure: TransportFailure?) {
        guard attempt == attempts, completion != nil else { return }
        let isObstacle =
            answer.map { failure == nil && [401, 403, 451, 502, 503, 504].contains($0.status) && !$0.hasWords } ?? true
        if let detour, isObstacle {
            self.detour = nil
            setback = Outcome(answer: answer, failure: failure)
            // Closing it would end this attempt a second time.
            attempts += 1
            channel?.close(promise: nil)
            channel = nil
            return detour()
        }
        if let setback, answer == nil { return finish(setback.answer, setback.failure ?? failure) }
        finish(answer, failure)
    }

    private func finish(_ answer: HTTPAnswer?, _ failure: TransportFailure? = nil) {
        guard let completion else { return }
        self.completion = nil
        end()
        completion(Outcome(answer: answer, failure: failure))
    }

    private func end() {
        limit?.cancel()
        limit = nil
        detour = nil
        channel?.close(promise: nil)
        channel = nil
    }

    private func dial(_ exchange: HTTPExchange, _ timeout: TimeAmount) {
        limit = loop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            guard let self else { return }
            finish(nil, TransportFailure(FH_E_TIMEOUT, "\(url): no whole answer in time"))
        }
        attempt(exchange, only: nil, timeout)
    }

    private func attempt(_ exchange: HTTPExchange, only family: AddressFamily?, _ timeout: TimeAmount) {
        attempts += 1
        let number = attempts
        let dialer = Dialer(loop: loop, route: route, tls: tls)
        dialer.dial(url, timeout: timeout, only: family).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .failure(let error): ended(number, nil, Dialer.failure(error, url: url))
            case .success(let dialed):
                let channel = dialed.channel
                guard completion != nil else { return channel.close(promise: nil) }
                self.channel = channel
                // A POST may have been taken although the answer says otherwise: it is sent once.
                if let other = dialed.other, !exchange.isPost {
                    detour = { [weak self] in self?.attempt(exchange, only: other, timeout) }
                }
                do {
                    try exchange.send(
                        on: channel, by: dialer, reader: HTTPCollector(fetch: self, attempt: number))
                } catch {
                    ended(number, nil, Dialer.failure(error, url: url))
                }
            }
        }
    }
}
