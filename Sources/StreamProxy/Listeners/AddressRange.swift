/// An address, or a network: `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
public struct AddressRange: Sendable, Hashable {
    private let first: PeerAddress
    /// Of 128; an IPv4 network's are counted from the front of `::ffff:0:0`.
    private let bits: Int

    /// - Returns: Nil when it is neither.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, let address = PeerAddress(host) else { return nil }
        first = address
        let isV4 = PeerAddress.isV4(host)
        guard parts.count == 2 else {
            bits = 128
            return
        }
        guard parts[1].utf8.count <= 3, let length = UInt8(parts[1]), length <= (isV4 ? 32 : 128) else { return nil }
        bits = Int(length) + (isV4 ? 96 : 0)
    }

    func contains(_ address: PeerAddress) -> Bool { first.matches(address, bits: bits) }
}

/// Who a client behind reverse proxies is.
struct ForwardedClient {
    /// Proxies whose word counts.
    let trusted: [AddressRange]

    /// Whether that peer may say whom it speaks for.
    func trusts(_ peer: PeerAddress, isUnix: Bool) -> Bool {
        isUnix || (!trusted.isEmpty && trusted.contains { $0.contains(peer) })
    }

    /// The right-most address that no trusted proxy has. What stands left of it, and of anything that is no address, was
    /// said by somebody whom nobody vouches for, and is not read.
    /// - Parameter fields: The values of `X-Forwarded-For`, in their order.
    func address(of peer: PeerAddress, isUnix: Bool, _ fields: some Sequence<some StringProtocol>) -> PeerAddress {
        guard trusts(peer, isUnix: isUnix) else { return peer }
        var client = peer
        for entry in fields.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }).reversed() {
            guard let address = Self.address(in: entry) else { return client }
            client = address
            if !trusts(address, isUnix: false) { return client }
        }
        return client
    }

    /// Some proxies write the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
    private static func address(in entry: some StringProtocol) -> PeerAddress? {
        var text = Substring(entry)
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || isPort(rest) else { return nil }
            return PeerAddress(text[text.index(after: text.startIndex)..<end])
        }
        if let colon = text.firstIndex(of: ":"), !text[text.index(after: colon)...].contains(":") {
            guard isPort(text[colon...]) else { return nil }
            text = text[..<colon]
        }
        return PeerAddress(text)
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.first == ":" && UInt16(text.dropFirst()) != nil
    }
}
