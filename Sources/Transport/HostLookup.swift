import CFeedhostABI
import Glibc
import NIOCore
import NIOPosix

/// Finds the addresses of a host.
public protocol HostLookup: Sendable {
    /// In the order in which they are to be tried (RFC 6724). Blocks; called on a thread that may.
    func addresses(host: String, port: Int) throws -> [SocketAddress]
}

/// Asks the system: its hosts file, its name servers.
public struct SystemLookup: HostLookup {
    public init() {}

    public func addresses(host: String, port: Int) throws -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, "\(port)", &hints, &list)
        guard status == 0 else { throw UnknownHost(status: status) }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr else { continue }
            switch entry.ai_family {
            case AF_INET:
                address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { found.append(SocketAddress($0.pointee)) }
            case AF_INET6:
                address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    found.append(SocketAddress($0.pointee))
                }
            default: break
            }
        }
        guard !found.isEmpty else { throw UnknownHost(status: EAI_NONAME) }
        return found
    }
}

/// A name without addresses, or a name server that says nothing.
struct UnknownHost: Error, CustomStringConvertible {
    /// `EAI_*`.
    let status: Int32

    var description: String {
        switch status {
        case EAI_NONAME: "the host name is unknown"
        default: "the host name cannot be looked up: \(String(cString: gai_strerror(status)))"
        }
    }
}

/// Hands addresses that are known already to NIO's happy eyeballs (RFC 8305: IPv6 first, IPv4 250 ms later).
struct KnownAddresses: Resolver, Sendable {
    let loop: any EventLoop
    let addresses: [SocketAddress]

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { only(.ipv4) }
    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { only(.ipv6) }
    func cancelQueries() {}

    private func only(_ family: AddressFamily) -> EventLoopFuture<[SocketAddress]> {
        loop.makeSucceededFuture(addresses.filter { AddressFamily($0) == family })
    }
}
