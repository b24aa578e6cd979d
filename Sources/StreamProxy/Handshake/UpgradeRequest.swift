/// A request that becomes a WebSocket: the rules of RFC 6455 section 4.2.1, and those of RFC 9110 and 9112 that lie below them.
struct UpgradeRequest {
    /// 16 bytes in base64, as the client has sent it.
    let key: String
    /// Extensions that the client offers.
    let offers: [ExtensionOffer]

    private static let methods: Set = ["POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]

    /// - Throws: The answer that such a request gets.
    init(_ head: RequestHead) throws(RequestFault) {
        try Self.checkMessage(head)
        guard head.method == "GET" || head.method == "HEAD" else {
            throw RequestFault(
                status: Self.methods.contains(head.method) ? .methodNotAllowed : .notImplemented,
                text: "This is a WebSocket endpoint.")
        }
        // RFC 9110 section 7.8: HTTP/1.0 knows no upgrade, whatever its fields say.
        guard head.method == "GET", head.minorVersion >= 1, head.list("upgrade").contains("websocket"),
            head.list("connection").contains("upgrade")
        else { throw RequestFault(status: .upgradeRequired, text: "This is a WebSocket endpoint.") }
        guard head.values("content-length").allSatisfy({ $0.allSatisfy { $0 == "0" } }),
            head.values("transfer-encoding").isEmpty
        else { throw .bad("A request for a WebSocket has no content.") }
        key = try Self.key(of: head)
        do {
            offers = try ExtensionOffer.parse(head.values("sec-websocket-extensions"))
        } catch {
            throw .bad("Sec-WebSocket-Extensions is malformed.")
        }
    }

    private static func key(of head: RequestHead) throws(RequestFault) -> String {
        let versions = head.values("sec-websocket-version")
        guard versions.count <= 1 else { throw .bad("Sec-WebSocket-Version is there more than once.") }
        guard versions.first == "13" else {
            throw RequestFault(status: .upgradeRequired, text: "Sec-WebSocket-Version must be 13.")
        }
        let keys = head.values("sec-websocket-key")
        guard keys.count == 1, isKey(keys[0]) else {
            throw .bad("There must be one Sec-WebSocket-Key: 16 bytes in base64.")
        }
        return keys[0]
    }

    /// 22 digits carry 132 bits; what the last four say is nobody's business.
    private static func isKey(_ text: String) -> Bool {
        text.utf8.count == 24 && text.hasSuffix("==")
            && text.utf8.dropLast(2).allSatisfy {
                $0.isDigit || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2B || $0 == 0x2F
            }
    }

    // MARK: The message

    private static func checkMessage(_ head: RequestHead) throws(RequestFault) {
        let hosts = head.values("host")
        guard hosts.count == 1 || hosts.isEmpty && head.minorVersion == 0 else {
            throw .bad("There must be one Host.")
        }
        guard hosts.allSatisfy(isAuthority) else { throw .bad("Host is no host.") }
        guard isTarget(head.target, of: head.method) else {
            throw .bad("The target of the request must be a path or a URL.")
        }
        let lengths = head.values("content-length")
        guard lengths.count <= 1, lengths.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isDigit) }),
            lengths.isEmpty || head.values("transfer-encoding").isEmpty
        else { throw .bad("How long the content is cannot be told.") }
    }

    /// RFC 9112 section 3.2: a path; a URL, which servers must take too; `*` for OPTIONS and a host for CONNECT alone.
    private static func isTarget(_ target: String, of method: String) -> Bool {
        guard target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else { return false }
        if method == "CONNECT" { return isAuthority(target) && !target.isEmpty }
        if target == "*" { return method == "OPTIONS" }
        if target.hasPrefix("/") { return true }
        let lower = target.lowercased()
        guard let scheme = ["http://", "https://", "ws://", "wss://"].first(where: { lower.hasPrefix($0) }) else {
            return false
        }
        let authority = target.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
        return !authority.isEmpty && isAuthority(authority)
    }

    /// A host, and perhaps a port. Empty for a target that names none (RFC 9110 section 7.2).
    private static func isAuthority(_ text: some StringProtocol) -> Bool {
        var host = text[...]
        if let colon = host.lastIndex(of: ":"), host[host.index(after: colon)...].utf8.allSatisfy(\.isDigit) {
            host = host[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { return PeerAddress(host.dropFirst().dropLast()) != nil }
        // Names and IPv4 addresses: RFC 3986 section 3.2.2.
        return host.utf8.allSatisfy {
            $0.isDigit || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || "-._~%!$&'()*+,;=".utf8.contains($0)
        }
    }
}
