import NIOCore
import NIOSSL
import Synchronization

/// How connections leave this machine: address family, source address, proxy, and whom TLS trusts.
public struct OutboundRoute: Sendable {
    /// Nil: whichever answers first, and the other one before a refusal counts.
    public var family: AddressFamily?
    /// The address that connections come from; with port 0. Only its family is used then.
    public var source: SocketAddress?
    public var proxies = ProxyRules()
    /// Nil trusts what the system trusts.
    public var trust: NIOSSLContext?
    public var lookup: any HostLookup = SystemLookup()
    let memory = RouteMemory()

    /// Straight out, over both families.
    public init() {}

    /// The one family that is allowed; nil: both.
    var onlyFamily: AddressFamily? { AddressFamily(source) ?? family }
}

/// The routes of a host, and of the brokers that have their own.
public struct OutboundRoutes: Sendable {
    public var standard: OutboundRoute
    public var ofBroker: [String: OutboundRoute]

    public init(standard: OutboundRoute = OutboundRoute(), ofBroker: [String: OutboundRoute] = [:]) {
        self.standard = standard
        self.ofBroker = ofBroker
    }

    /// Has all routes trust the authorities of a PEM file, and nobody else.
    /// - Throws: When the file cannot be read, or holds none.
    public mutating func trust(onlyFile path: String) throws {
        let authorities = try NIOSSLCertificate.fromPEMFile(path)
        guard !authorities.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(authorities)
        let context = try NIOSSLContext(configuration: configuration)
        standard.trust = context
        for broker in ofBroker.keys { ofBroker[broker]?.trust = context }
    }

    public subscript(broker: String) -> OutboundRoute { ofBroker[broker] ?? standard }
}

/// Which family worked for a host whose other one was refused or mute, so that the next connection begins with it.
final class RouteMemory: Sendable {
    private struct Entry {
        let family: AddressFamily
        let until: NIODeadline
    }

    /// A route may be mended; then the usual order is right again.
    static let lasts = TimeAmount.minutes(10)
    private let entries = Mutex<[String: Entry]>([:])

    func family(for host: String) -> AddressFamily? {
        entries.withLock { entries in
            guard let entry = entries[host], entry.until > .now() else { return nil }
            return entry.family
        }
    }

    func remember(_ family: AddressFamily, for host: String) {
        entries.withLock { $0[host] = Entry(family: family, until: .now() + Self.lasts) }
    }

    func forget(_ host: String) { entries.withLock { $0[host] = nil } }
}
