import CFeedhostABI

/// A URL that the transport can reach: ws, wss, http or https, in ASCII, without user name and fragment.
public struct TransportURL: Sendable, Hashable, CustomStringConvertible {
    public enum Scheme: String, Sendable, Hashable {
        case ws, wss, http, https

        var isWebSocket: Bool { self == .ws || self == .wss }
        var isSecure: Bool { self == .wss || self == .https }
        var defaultPort: Int { isSecure ? 443 : 80 }
    }

    public let scheme: Scheme
    /// Without the brackets of an IPv6 address.
    public let host: String
    public let port: Int
    /// Path and query, beginning with `/`. A secret.
    public let target: String
    /// The Unix socket that is connected to instead of host and port.
    public private(set) var unixSocket: String?

    /// Scheme, host and port, or `unix:PATH`: what messages may show.
    public var description: String { unixSocket.map { "unix:\($0)" } ?? "\(scheme.rawValue)://\(authority)" }

    /// The `Host` field.
    var hostField: String { port == scheme.defaultPort ? bracketedHost : authority }

    /// Host and port.
    var authority: String { "\(bracketedHost):\(port)" }
    private var bracketedHost: String { host.utf8.contains(0x3A) ? "[\(host)]" : host }

    /// - Throws: `FH_E_INVALID`, with a message that does not repeat the URL.
    public init(_ text: String) throws(TransportFailure) {
        guard text.utf8.count <= 16_384 else { throw Self.wrong("it is longer than 16 KiB") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Self.wrong("it holds spaces, control characters or letters beyond ASCII; encode them with %")
        }
        guard let mark = text.firstRange(of: "://") else { throw Self.wrong("it has no scheme") }
        guard let scheme = Scheme(rawValue: text[..<mark.lowerBound].lowercased()) else {
            throw Self.wrong("its scheme is none of ws, wss, http and https")
        }
        self.scheme = scheme
        let rest = text[mark.upperBound...]
        guard !rest.utf8.contains(0x23) else { throw Self.wrong("it has a fragment (#)") }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        (host, port) = try Self.authority(rest[..<end], scheme: scheme)
        let target = String(rest[end...])
        self.target = target.hasPrefix("/") ? target : "/\(target)"
    }

    /// A WebSocket at a Unix socket of this machine. No text of an adapter leads to one.
    /// - Parameter unixSocket: Its path.
    public init(unixSocket: String) {
        (scheme, host, port, target) = (.ws, "localhost", 80, "/")
        self.unixSocket = unixSocket
    }

    private static func authority(
        _ text: Substring, scheme: Scheme
    ) throws(TransportFailure) -> (host: String, port: Int) {
        guard !text.utf8.contains(0x40) else {
            throw wrong("it has a user name or password; send them in a header field")
        }
        let host: Substring
        var rest: Substring
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { throw wrong("the [ of its address is never closed") }
            host = text[text.index(after: text.startIndex)..<close]
            rest = text[text.index(after: close)...]
            guard !host.isEmpty, host.utf8.allSatisfy({ isHexDigit($0) || $0 == 0x3A || $0 == 0x2E }) else {
                throw wrong("its IPv6 address is malformed")
            }
        } else {
            host = text.prefix { $0 != ":" }
            rest = text[host.endIndex...]
            guard !host.isEmpty else { throw wrong("it has no host") }
            guard host.utf8.count <= 253, host.utf8.allSatisfy(isHostByte) else { throw wrong("its host is malformed") }
        }
        if rest.isEmpty { return (String(host), scheme.defaultPort) }
        rest = rest.dropFirst()
        guard rest.utf8.count <= 5, rest.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(rest),
            (1...65_535).contains(port)
        else { throw wrong("its port is no number between 1 and 65535") }
        return (String(host), port)
    }

    private static func wrong(_ reason: String) -> TransportFailure {
        TransportFailure(FH_E_INVALID, "the URL cannot be used: \(reason)")
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == 0x2D || byte == 0x2E || byte == 0x5F
    }
}
