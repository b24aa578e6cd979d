import MarketData
import NIOCore
import NIOPosix
import Secrets

/// Downloads instrument masters over HTTP/1.1, each file on a connection of its own.
///
/// Unlike ``HTTPFetch`` it follows redirects (three, never from https to http), tells how far it is, waits as long as
/// something keeps coming, and leaves gzip to whoever unpacks the file.
public struct MasterFetch: MasterDownload {
    /// Bytes as they are sent at the most.
    static let maxBytes = 512 << 20
    private static let maxRedirects = 3

    private let route: OutboundRoute

    public init(route: OutboundRoute = OutboundRoute()) { self.route = route }

    public func bytes(
        at location: MasterLocation, progress: @escaping @Sendable (_ received: Int, _ expected: Int?) -> Void
    ) async throws -> [UInt8] {
        var location = location
        for _ in 0...Self.maxRedirects {
            let url: TransportURL
            do throws(TransportFailure) {
                url = try TransportURL(location.url.revealed)
            } catch {
                throw FeedError(.brokerConnection, "\(error); look at the settings of the adapter")
            }
            guard !url.scheme.isWebSocket else { throw FeedError(.brokerConnection, "\(url): http or https is needed") }
            switch try await answer(location, url, progress) {
            case .content(let bytes): return bytes
            case .moved(let target): location = try Self.moved(location, from: url, to: target)
            case .refused(let answer): throw Self.refused(answer, by: url)
            }
        }
        throw FeedError(
            .brokerConnection,
            "\(MasterFetch.shown(location)): the server redirects more than \(Self.maxRedirects) times")
    }

    /// A status alone is no verdict on credentials: proxies and firewalls on the way answer 401 and 403 as well.
    private static func refused(_ answer: HTTPAnswer, by url: TransportURL) -> FeedError {
        let isRefusal = answer.status == 401 || answer.status == 403
        if isRefusal, answer.hasWords {
            return FeedError(
                .authentication,
                "\(url): the broker refuses the credentials (HTTP \(answer.status)); store fresh ones with `feedhost credentials set`"
            )
        }
        let page = answer.isPage ? " with a web page" : ""
        let hint = isRefusal ? ", as proxies and firewalls on the way do; that says nothing of the credentials" : ""
        return FeedError(.brokerConnection, "\(url): the server has answered HTTP \(answer.status)\(page)\(hint)")
    }

    /// Where a redirect leads. Header fields and body, which are secrets, go to no other server.
    private static func moved(
        _ location: MasterLocation, from url: TransportURL, to target: String
    ) throws -> MasterLocation {
        var next = MasterLocation(url: Secret(absolute(target, from: url)), patience: location.patience)
        let there: TransportURL
        do throws(TransportFailure) {
            there = try TransportURL(next.url.revealed)
        } catch {
            throw FeedError(
                .brokerConnection, "\(url): the server redirects to somewhere that cannot be used: \(error)")
        }
        guard !url.scheme.isSecure || there.scheme.isSecure else {
            throw FeedError(
                .brokerConnection,
                "\(url): the server redirects to \(there), which is not encrypted; that is not followed")
        }
        if there.description == url.description { next.fields = location.fields }
        return next
    }

    private static func absolute(_ target: String, from url: TransportURL) -> String {
        if target.hasPrefix("//") { return "\(url.scheme.rawValue):\(target)" }
        if target.hasPrefix("/") { return "\(url)\(target)" }
        if target.contains("://") { return target }
        let folder = url.target.prefix { $0 != "?" }
        return "\(url)\(folder[...(folder.lastIndex(of: "/") ?? folder.startIndex)])\(target)"
    }

    private static func shown(_ location: MasterLocation) -> String {
        (try? TransportURL(location.url.revealed)).map { "\($0)" } ?? "the server"
    }

    /// What the server says, over the other address family too when the first brings nothing but a refusal.
    private func answer(
        _ location: MasterLocation, _ url: TransportURL, _ progress: @escaping @Sendable (Int, Int?) -> Void
    ) async throws -> MasterReader.Outcome {
        let (first, other) = try await exchange(location, url, only: nil, progress)
        guard case .refused(let refusal) = first, let other, location.body == nil, refusal.status != 429,
            refusal.status != 404, !refusal.hasWords
        else { return first }
        // If that cannot be reached, the first answer is all there is.
        guard let second = try? await exchange(location, url, only: other, progress) else { return first }
        try Task.checkCancellation()
        return second.outcome
    }

    private func exchange(
        _ location: MasterLocation, _ url: TransportURL, only family: AddressFamily?,
        _ progress: @escaping @Sendable (Int, Int?) -> Void
    ) async throws -> (outcome: MasterReader.Outcome, other: AddressFamily?) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let exchange: HTTPExchange
        do throws(TransportFailure) {
            // Some servers answer no program that does not name itself.
            exchange = try HTTPExchange(
                url, fields: location.fields.map { HeaderField($0.name, $0.value.revealed) },
                body: location.body.map { ByteBuffer(bytes: $0) }, encodings: "gzip",
                agent: "feedhost/\(FeedhostVersion.text)")
        } catch {
            throw FeedError(.brokerConnection, "\(error)")
        }
        let dialer = Dialer(loop: loop, route: route)
        let patience = TimeAmount(location.patience)
        do {
            let dialed = try await dialer.dial(url, timeout: min(patience, .seconds(30)), only: family).get()
            let channel = dialed.channel
            let outcome = try await withTaskCancellationHandler {
                try await loop.flatSubmit {
                    let promise = loop.makePromise(of: MasterReader.Outcome.self)
                    do {
                        try exchange.send(
                            on: channel, by: dialer, watch: IdleStateHandler(readTimeout: patience),
                            reader: MasterReader(url: url, promise: promise, progress: progress))
                    } catch {
                        promise.fail(error)
                        channel.close(promise: nil)
                    }
                    return promise.futureResult
                }.get()
            } onCancel: {
                channel.close(promise: nil)
            }
            return (outcome, dialed.other)
        } catch let error as FeedError {
            throw error
        } catch {
            throw FeedError(.brokerConnection, "\(Dialer.failure(error, url: url))")
        }
    }
}
