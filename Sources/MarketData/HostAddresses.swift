import Glibc

/// The addresses that a host name stands for.
public enum HostAddresses {
    /// The name is nobody's.
    public struct Unknown: Error, Sendable, Hashable, CustomStringConvertible {
        public let host: String
        public var description: String { "\(host) is no address and no name of this machine" }
    }

    /// Every address of a host, numeric, each once, in the order in which the system would try them. `localhost` is both
    /// loopback addresses, also where the system's table has forgotten one of them (RFC 6761 section 6.3).
    /// - Parameter host: A name, or an address without brackets. Blocks while a name is looked up.
    public static func of(_ host: String) throws(Unknown) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let isFound = getaddrinfo(host, nil, &hints, &list) == 0
        defer { if isFound { freeaddrinfo(list) } }
        var addresses: [String] = []
        var next = isFound ? list : nil
        while let info = next {
            if let address = numeric(info.pointee), !addresses.contains(address) { addresses.append(address) }
            next = info.pointee.ai_next
        }
        if isLocal(host) {
            for address in ["127.0.0.1", "::1"] where !addresses.contains(address) { addresses.append(address) }
        }
        guard !addresses.isEmpty else { throw Unknown(host: host) }
        return addresses
    }

    /// Whether only this machine reaches it: 127.0.0.0/8 and ::1.
    public static func isLoopback(_ address: String) -> Bool {
        var v4 = in_addr()
        if inet_pton(AF_INET, address, &v4) == 1 { return UInt32(bigEndian: v4.s_addr) >> 24 == 127 }
        var (v6, one) = (in6_addr(), in6_addr())
        guard inet_pton(AF_INET6, address, &v6) == 1, inet_pton(AF_INET6, "::1", &one) == 1 else { return false }
        return withUnsafeBytes(of: v6) { first in withUnsafeBytes(of: one) { first.elementsEqual($0) } }
    }

    /// Whether binding an address failed because this machine does not have it, or not its whole family.
    public static func isAbsence(_ code: Int32) -> Bool {
        code == EADDRNOTAVAIL || code == EAFNOSUPPORT || code == EPROTONOSUPPORT
    }

    private static func isLocal(_ host: String) -> Bool {
        let name = host.lowercased()
        return name == "localhost" || name.hasSuffix(".localhost")
    }

    /// With the zone of a link-local address.
    private static func numeric(_ info: addrinfo) -> String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard
            getnameinfo(info.ai_addr, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
        else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
