import CFeedhostABI
import Dispatch
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Opens TCP connections along a route, with TLS where the scheme asks for it.
struct Dialer: Sendable {
    /// A connection, and which way it went.
    struct Dialed: Sendable {
        let channel: any Channel
        /// Nil through a proxy.
        let family: AddressFamily?
        /// The other family, if the host has addresses of it and the route allows them.
        let other: AddressFamily?
    }

    /// Trusts what the system trusts. Made once: reading the roots takes tens of milliseconds.
    private static let systemTLS = Result { try NIOSSLContext(configuration: .makeClientConfiguration()) }
    /// Looking a name up blocks its thread.
    private static let lookups = DispatchQueue(label: "feedhost.lookup", attributes: .concurrent)

    let loop: any EventLoop
    var route = OutboundRoute()
    /// Nil for what the route trusts.
    var tls: NIOSSLContext?

    /// Connects; name look-up, TCP and a proxy's answer are covered by the time limit each, TLS is not.
    /// - Parameter only: The family to use; nil for what the route allows.
    func dial(_ url: TransportURL, timeout: TimeAmount, only: AddressFamily? = nil) -> EventLoopFuture<Dialed> {
        if let path = url.unixSocket {
            return dial(unixSocket: path, timeout: timeout)
                .map { Dialed(channel: $0, family: nil, other: nil) }
        }
        if let proxy = route.proxies.proxy(for: url) { return dial(url, through: proxy, timeout) }
        let allowed = only ?? route.onlyFamily
        return addresses(url.host, url.port, timeout).flatMap { found in
            let families = Set(found.compactMap { AddressFamily($0) })
            let isFree = only == nil && route.onlyFamily == nil && families.count > 1
            let known = isFree ? route.memory.family(for: url.host) : nil
            return connect(url.host, url.port, found, allowed ?? known, timeout).flatMapError { error in
                guard known != nil else { return loop.makeFailedFuture(error) }
                // What worked once works no more.
                route.memory.forget(url.host)
                return connect(url.host, url.port, found, nil, timeout)
            }.map { channel in
                let family = AddressFamily(channel.remoteAddress)
                return Dialed(channel: channel, family: family, other: isFree ? family?.other : nil)
            }
        }
    }

    private func dial(
        _ url: TransportURL, through proxy: ProxyAddress, _ timeout: TimeAmount
    ) -> EventLoopFuture<Dialed> {
        addresses(proxy.host, proxy.port, timeout)
            .flatMap { connect(proxy.host, proxy.port, $0, route.onlyFamily, timeout) }
            .flatMapErrorThrowing { error in
                let failure = Self.failure(error, place: "\(url): the proxy \(proxy)")
                throw TransportFailure(Int(failure.status), failure.message)
            }
            .flatMap { channel in
                let promise = loop.makePromise(of: Void.self)
                do {
                    let tunnel = ProxyTunnel(proxy, to: url, within: timeout, promise: promise)
                    try channel.pipeline.syncOperations.addHandler(tunnel)
                } catch {
                    promise.fail(error)
                }
                return promise.futureResult.map { Dialed(channel: channel, family: nil, other: nil) }
            }
    }

    private func addresses(_ host: String, _ port: Int, _ timeout: TimeAmount) -> EventLoopFuture<[SocketAddress]> {
        if let address = try? SocketAddress(ipAddress: host, port: port) { return loop.makeSucceededFuture([address]) }
        let promise = loop.makePromise(of: [SocketAddress].self)
        let limit = loop.scheduleTask(in: timeout) { promise.fail(ChannelError.connectTimeout(timeout)) }
        Self.lookups.async { [lookup = route.lookup] in
            promise.completeWith(Result { try lookup.addresses(host: host, port: port) })
        }
        promise.futureResult.whenComplete { _ in limit.cancel() }
        return promise.futureResult
    }

    private func connect(
        _ host: String, _ port: Int, _ found: [SocketAddress], _ family: AddressFamily?, _ timeout: TimeAmount
    ) -> EventLoopFuture<any Channel> {
        let usable = family.map { family in found.filter { AddressFamily($0) == family } } ?? found
        guard !usable.isEmpty else {
            return loop.makeFailedFuture(NoAddress(family: family ?? .ipv4))
        }
        var bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .resolver(KnownAddresses(loop: loop, addresses: usable))
        if let source = route.source { bootstrap = bootstrap.bind(to: source) }
        return bootstrap.connect(host: host, port: port)
    }

    /// Puts TLS at the front of the pipeline. The certificate must be valid for the host that the URL names.
    func secure(_ channel: any Channel, for url: TransportURL) throws {
        guard url.scheme.isSecure else { return }
        // An address is no server name; the certificate is then checked against the address.
        let isAddress = (try? SocketAddress(ipAddress: url.host, port: url.port)) != nil
        let handler = try NIOSSLClientHandler(
            context: try tls ?? route.trust ?? Self.systemTLS.get(), serverHostname: isAddress ? nil : url.host)
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}

/// The host has addresses, and none that may be used.
private struct NoAddress: Error {
    let family: AddressFamily
}

// What went wrong, in words.
extension Dialer {
    /// A failure that says what went wrong where.
    static func failure(_ error: any Error, url: TransportURL) -> TransportFailure { failure(error, place: "\(url)") }

    /// - Parameter place: The beginning of the sentence.
    static func failure(_ error: any Error, place: String) -> TransportFailure {
        if let failure = error as? TransportFailure { return failure }
        let isTimeout = if case ChannelError.connectTimeout = error { true } else { false }
        return TransportFailure(isTimeout ? FH_E_TIMEOUT : FH_E_NETWORK, "\(place): \(reason(error))")
    }

    static func reason(_ error: any Error) -> String {
        switch error {
        case let failure as TransportFailure: return failure.message
        case let error as NoAddress:
            return "the host has no \(error.family.name) address, and only that family is to be used"
        case let error as UnknownHost: return "\(error)"
        case let error as NIOConnectionError:
            return error.connectionErrors.first.map { reason($0.error) } ?? "cannot be reached"
        case ChannelError.connectTimeout: return "no connection in time"
        case let error as IOError: return String(cString: strerror(error.errnoCode))
        case NIOSSLError.handshakeFailed(let cause): return "TLS failed: \(brief(cause))"
        case let error as NIOSSLError: return "TLS failed: \(brief(error))"
        case let error as NIOSSLExtraError: return "TLS failed: \(brief(error))"
        case let error as BoringSSLError: return "TLS failed: \(brief(error))"
        // Errors of the HTTP parser name no content.
        default: return brief(error)
        }
    }

    private static func brief(_ error: any Error) -> String { String(String(describing: error).prefix(200)) }
}
