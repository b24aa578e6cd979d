import CFeedhostABI
import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
import Glibc
#endif

/// Opens TCP connections, with TLS where the scheme asks for it.
struct Dialer {
    /// Trusts what the system trusts. Made once: reading the roots takes tens of milliseconds.
    private static let systemTLS = Result { try NIOSSLContext(configuration: .makeClientConfiguration()) }

    let loop: any EventLoop
    /// Nil for the system's trust roots.
    let tls: NIOSSLContext?

    /// Connects; name look-up and TCP are covered by the time limit, TLS is not.
    func dial(_ url: TransportURL, timeout: TimeAmount) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: url.host, port: url.port)
    }

    /// Puts TLS at the front of the pipeline. The certificate must be valid for the host that the URL names.
    func secure(_ channel: any Channel, for url: TransportURL) throws {
        guard url.scheme.isSecure else { return }
        // An address is no server name; the certificate is then checked against the address.
        let isAddress = (try? SocketAddress(ipAddress: url.host, port: url.port)) != nil
        let handler = try NIOSSLClientHandler(
            context: try tls ?? Self.systemTLS.get(), serverHostname: isAddress ? nil : url.host)
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// A failure that says what went wrong where.
    static func failure(_ error: any Error, url: TransportURL) -> TransportFailure {
        switch error {
        case let failure as TransportFailure: return failure
        case let error as NIOConnectionError:
            let first = error.connectionErrors.first?.error
            if first == nil, error.dnsAError != nil || error.dnsAAAAError != nil {
                return TransportFailure(FH_E_NETWORK, "\(url): the host name is unknown")
            }
            return first.map { failure($0, url: url) } ?? TransportFailure(FH_E_NETWORK, "\(url): cannot be reached")
        case ChannelError.connectTimeout:
            return TransportFailure(FH_E_TIMEOUT, "\(url): no connection in time")
        case let error as IOError:
            return TransportFailure(FH_E_NETWORK, "\(url): \(String(cString: strerror(error.errnoCode)))")
        case NIOSSLError.handshakeFailed(let cause):
            return TransportFailure(FH_E_NETWORK, "\(url): TLS failed: \(brief(cause))")
        case let error as NIOSSLError:
            return TransportFailure(FH_E_NETWORK, "\(url): TLS failed: \(brief(error))")
        case let error as NIOSSLExtraError:
            return TransportFailure(FH_E_NETWORK, "\(url): TLS failed: \(brief(error))")
        case let error as BoringSSLError:
            return TransportFailure(FH_E_NETWORK, "\(url): TLS failed: \(brief(error))")
        default:
            // Errors of the HTTP parser name no content.
            return TransportFailure(FH_E_NETWORK, "\(url): \(brief(error))")
        }
    }

    private static func brief(_ error: any Error) -> String { String(String(describing: error).prefix(200)) }
}
