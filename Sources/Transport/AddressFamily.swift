import NIOCore

/// IPv4 or IPv6.
public enum AddressFamily: String, Sendable, Hashable, CaseIterable {
    case ipv4, ipv6

    /// Nil for what is no address of the internet.
    init?(_ address: SocketAddress?) {
        switch address {
        case .v4: self = .ipv4
        case .v6: self = .ipv6
        default: return nil
        }
    }

    var other: AddressFamily { self == .ipv4 ? .ipv6 : .ipv4 }

    /// For sentences.
    var name: String { self == .ipv4 ? "IPv4" : "IPv6" }
}
