import Glibc
import NIOCore

/// Where a client comes from: an IPv4 or IPv6 address, or a socket of this machine without one.
struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
    /// The 16 bytes of IPv6; an IPv4 address as `::ffff:a.b.c.d`, so that both ways of writing one are one.
    let high: UInt64
    let low: UInt64

    /// A Unix socket's other end. (Written as `::`, which no peer has.)
    static let local = PeerAddress(high: 0, low: 0)

    private static let mapped: UInt64 = 0xFFFF << 32

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(v4: UInt32) { self.init(high: 0, low: Self.mapped | UInt64(v4)) }

    /// An address as text, without port and brackets.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 45 else { return nil }
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, String(text), &v4) == 1 {
            self.init(v4: UInt32(bigEndian: v4.s_addr))
        } else if inet_pton(AF_INET6, String(text), &v6) == 1 {
            self.init(v6)
        } else {
            return nil
        }
    }

    /// A peer that has no IP address is on this machine.
    init(_ address: SocketAddress?) { self = address?.ipAddress.flatMap { PeerAddress($0) } ?? .local }

    private init(_ address: in6_addr) {
        (high, low) = withUnsafeBytes(of: address) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    private var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// 127.0.0.0/8 or ::1.
    var isLoopback: Bool { isV4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1 }

    /// Of this machine.
    var isLocal: Bool { isLoopback || self == .local }

    /// Whom limits mean: somebody with IPv6 has a whole /64, and can come from another address each time.
    var limited: PeerAddress { isV4 || isLocal ? self : PeerAddress(high: high, low: 0) }

    var description: String {
        if self == .local { return "unix" }
        if isV4 { return (0..<4).map { String(low >> (24 - 8 * UInt64($0)) & 0xFF) }.joined(separator: ".") }
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) { bytes in
            bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, &address, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether both begin with the same bits.
    func matches(_ other: PeerAddress, bits: Int) -> Bool {
        func differs(_ a: UInt64, _ b: UInt64, _ bits: Int) -> Bool { bits > 0 && (a ^ b) >> (64 - min(bits, 64)) != 0 }
        return !differs(high, other.high, bits) && !differs(low, other.low, bits - 64)
    }

    /// Whether it is IPv4, as written; for the length of a network's prefix.
    static func isV4(_ text: some StringProtocol) -> Bool { !text.utf8.contains(UInt8(ascii: ":")) }
}
