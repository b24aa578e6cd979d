/// A web page that may open connections: an origin such as `https://trade.example.com`, the hosts of a domain
/// (`*.example.com`), or `same-host` for pages of the host that the request names.
///
/// Only browsers say where a page is from. Programs send no `Origin`, and a rule for pages does not concern them.
public struct OriginRule: Sendable, Hashable {
    private enum Kind: Hashable {
        /// In lower case, without the default port.
        case origin(String)
        /// Of hosts, with the dot: `.example.com`.
        case suffix(String)
        case sameHost
    }

    private let kind: Kind

    /// - Returns: Nil when it is none of the three.
    public init?(_ text: String) {
        let text = text.lowercased()
        if text == "same-host" {
            kind = .sameHost
        } else if text.hasPrefix("*.") {
            let suffix = text.dropFirst()
            guard suffix.count > 1, suffix.utf8.allSatisfy(Self.isHostByte) else { return nil }
            kind = .suffix(String(suffix))
        } else {
            guard let origin = Origin(text) else { return nil }
            kind = .origin(origin.text)
        }
    }

    /// - Parameter host: The `Host` field of the request.
    func allows(_ text: String, host: String?) -> Bool {
        // Also `null`: a page from a file, or one that hides where it is from.
        guard let origin = Origin(text.lowercased()) else { return false }
        switch kind {
        case .origin(let allowed): return origin.text == allowed
        case .suffix(let suffix): return origin.host.hasSuffix(suffix)
        case .sameHost: return host.map { Origin.host(in: Substring($0.lowercased())) == origin.host } ?? false
        }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (48...57).contains(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F
    }
}

/// Scheme, host and port of a page.
private struct Origin {
    let host: Substring
    /// Without a port that goes without saying.
    let text: String

    init?(_ text: String) {
        guard let mark = text.firstIndex(of: ":"), text[mark...].hasPrefix("://") else { return nil }
        let scheme = text[..<mark]
        let rest = text[text.index(mark, offsetBy: 3)...]
        guard !scheme.isEmpty, !rest.isEmpty, !rest.contains(where: { "/?#@, \t".contains($0) }),
            let host = Self.host(in: rest), !host.isEmpty
        else { return nil }
        self.host = host
        let usual = scheme == "https" ? ":443" : scheme == "http" ? ":80" : nil
        if let usual, rest.hasSuffix(usual), rest.count == host.count + usual.count {
            self.text = String(text.dropLast(usual.count))
        } else {
            self.text = text
        }
    }

    /// Without the port; brackets stay.
    static func host(in text: Substring) -> Substring? {
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            return text[...end]
        }
        return text.prefix { $0 != ":" }
    }
}
