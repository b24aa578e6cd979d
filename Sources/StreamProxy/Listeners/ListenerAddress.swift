/// A place where clients connect, as a URL says it: `ws://127.0.0.1:8766?coalesce=no`, `wss://0.0.0.0:8443`,
/// `unix:/run/feedhost/ws.sock?mode=0660`.
public struct ListenerAddress: Sendable, Hashable, CustomStringConvertible {
    public enum Place: Sendable, Hashable {
        /// Port 0 lets the system pick one. An IPv6 address has no brackets.
        case tcp(host: String, port: Int)
        /// - mode: Permission bits of the socket's file: who may connect.
        case unix(path: String, mode: UInt32)
    }

    /// What is wrong with a URL, as a sentence.
    public struct InvalidURL: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String
    }

    public let place: Place
    public let isTLS: Bool
    /// Whether several messages may leave in one write; see ``ProxyConfiguration/coalesces``.
    public let coalesces: Bool

    /// Who may connect to a Unix socket unless it is said: the user of the host and its group.
    public static let standardMode: UInt32 = 0o660

    init(host: String, port: Int, isTLS: Bool = false, coalesces: Bool = true) {
        place = .tcp(host: host, port: port)
        self.isTLS = isTLS
        self.coalesces = coalesces
    }

    /// - Throws: ``InvalidURL``.
    public init(_ url: String) throws(InvalidURL) {
        let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let main = parts.first ?? ""
        var options = try Self.options(parts.count > 1 ? parts[1] : "", in: url)
        if main.hasPrefix("unix:") {
            let path = String(main.dropFirst(main.hasPrefix("unix://") ? 7 : 5))
            guard path.hasPrefix("/"), path.utf8.count > 1, !path.hasSuffix("/") else {
                throw InvalidURL(
                    description: "\(url): unix: needs the absolute path of the socket, as in unix:/run/ws.sock")
            }
            // sun_path holds 108 bytes with its end; one more name is used for a moment.
            guard path.utf8.count <= 100 else {
                throw InvalidURL(description: "\(url): the path of a Unix socket may have at most 100 bytes")
            }
            place = .unix(path: path, mode: try Self.mode(options.removeValue(forKey: "mode"), in: url))
            isTLS = false
        } else {
            isTLS = main.hasPrefix("wss://")
            guard isTLS || main.hasPrefix("ws://") else {
                throw InvalidURL(description: "\(url): it must begin with ws://, wss:// or unix:/")
            }
            place = try Self.tcp(main.dropFirst(isTLS ? 6 : 5), in: url)
        }
        coalesces = try Self.bool(options.removeValue(forKey: "coalesce"), in: url)
        if let key = options.keys.min() {
            throw InvalidURL(
                description: "\(url): \(key) is not an option of it; there are coalesce=yes|no, and mode=0660 for unix:"
            )
        }
        if isTLS, !coalesces {
            throw InvalidURL(
                description: "\(url): coalesce=no has no effect under TLS, whose records are not messages; use ws://")
        }
    }

    /// As a client writes it, without options.
    public var description: String {
        switch place {
        case .tcp(let host, let port): "\(isTLS ? "wss" : "ws")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .unix(let path, _): "unix:\(path)"
        }
    }

    /// Whether what is sent there can be read on its way from another machine, as far as the text tells. (Where a name leads
    /// shows when it is looked up.)
    public var isExposed: Bool {
        guard case .tcp(let host, _) = place, !isTLS else { return false }
        return host != "localhost" && PeerAddress(host)?.isLoopback != true
    }

    private static func tcp(_ text: Substring, in url: String) throws(InvalidURL) -> Place {
        let place = text.hasSuffix("/") ? text.dropLast() : text
        guard let colon = place.lastIndex(of: ":"), let port = UInt16(place[place.index(after: colon)...]) else {
            throw InvalidURL(
                description: "\(url): it needs a port from 0 to 65535, as in ws://127.0.0.1:8766 (0 picks a free one)")
        }
        var host = place[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, host.contains(":") == isBracketed, !isBracketed || PeerAddress(host) != nil,
            !host.contains(where: { "/@[] ".contains($0) })
        else {
            throw InvalidURL(
                description: "\(url): it needs a host, as in ws://127.0.0.1:8766 or ws://[::1]:8766, and no path")
        }
        return .tcp(host: String(host), port: Int(port))
    }

    private static func options(_ text: Substring, in url: String) throws(InvalidURL) -> [String: String] {
        var options: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, options.updateValue(sides[1], forKey: sides[0]) == nil else {
                throw InvalidURL(description: "\(url): options are NAME=VALUE, each once, separated by &")
            }
        }
        return options
    }

    private static func mode(_ text: String?, in url: String) throws(InvalidURL) -> UInt32 {
        guard let text else { return standardMode }
        guard let mode = UInt32(text, radix: 8), mode <= 0o777, text.utf8.count >= 3 else {
            throw InvalidURL(description: "\(url): mode is three or four octal digits, as in mode=0660")
        }
        return mode
    }

    private static func bool(_ text: String?, in url: String) throws(InvalidURL) -> Bool {
        switch text?.lowercased() {
        case nil, "yes", "true", "on", "1": return true
        case "no", "false", "off", "0": return false
        default: throw InvalidURL(description: "\(url): coalesce is yes or no")
        }
    }
}
