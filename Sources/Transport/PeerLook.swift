import NIOCore
import NIOPosix
import NIOSSL

/// What answers at an address, looked at after a connection has failed, so that the reason can be told: TLS itself only says
/// that it did not verify a certificate.
///
/// Nothing is sent but the beginning of TLS, and nothing that comes is trusted.
public enum PeerLook: Sendable, Hashable {
    /// What the server calls itself.
    public struct Certificate: Sendable, Hashable {
        /// Names and addresses that it is for.
        public let names: [String]
        /// Seconds since 1970, UTC.
        public let begins: Int
        public let ends: Int

        /// Whether it is for this host, as far as the names tell.
        public func isFor(_ host: String) -> Bool {
            let host = host.lowercased()
            return names.contains { name in
                let name = name.lowercased()
                guard name.hasPrefix("*.") else { return name == host }
                return host.split(separator: ".", maxSplits: 1).last.map { $0 == name.dropFirst(2) } ?? false
            }
        }
    }

    /// Nobody answers.
    case unreachable
    /// Somebody does, who does not speak TLS.
    case plain
    case tls(Certificate?)

    /// - Parameter timeout: For connecting, and again for the answer.
    public static func at(
        _ url: TransportURL, on loop: any EventLoop, timeout: TimeAmount = .seconds(5)
    ) -> EventLoopFuture<PeerLook> {
        let promise = loop.makePromise(of: PeerLook.self)
        ClientBootstrap(group: loop).connectTimeout(timeout).connect(host: url.host, port: url.port)
            .whenComplete { result in
                guard case .success(let channel) = result else { return promise.succeed(.unreachable) }
                let limit = loop.scheduleTask(in: timeout) { promise.succeed(.plain) }
                promise.futureResult.whenComplete { _ in
                    limit.cancel()
                    channel.close(promise: nil)
                }
                do {
                    let isAddress = (try? SocketAddress(ipAddress: url.host, port: url.port)) != nil
                    let handler = try NIOSSLClientHandler(
                        context: NIOSSLContext(configuration: .makeClientConfiguration()),
                        serverHostname: isAddress ? nil : url.host,
                        customVerificationCallback: { chain, verdict in
                            promise.succeed(.tls(chain.first.map(Certificate.init)))
                            // Seen, and no more of it is wanted.
                            verdict.succeed(.failed)
                        })
                    try channel.pipeline.syncOperations.addHandlers([handler, HandshakeWitness(promise)])
                } catch {
                    promise.succeed(.unreachable)
                }
            }
        return promise.futureResult
    }
}

/// Sees what comes instead of a certificate.
private final class HandshakeWitness: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let promise: EventLoopPromise<PeerLook>

    init(_ promise: EventLoopPromise<PeerLook>) { self.promise = promise }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.succeed(.plain) }

    func channelInactive(context: ChannelHandlerContext) {
        promise.succeed(.plain)
        context.fireChannelInactive()
    }
}

extension PeerLook.Certificate {
    init(_ certificate: NIOSSLCertificate) {
        names = certificate._subjectAlternativeNames().compactMap { name in
            switch name.nameType {
            case .dnsName: String(decoding: name.contents, as: UTF8.self)
            case .ipAddress: Self.address(Array(name.contents))
            default: nil
            }
        }
        begins = Int(certificate.notValidBefore)
        ends = Int(certificate.notValidAfter)
    }

    /// As text, for 4 or 16 bytes.
    private static func address(_ bytes: [UInt8]) -> String? {
        try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0).ipAddress
    }
}
