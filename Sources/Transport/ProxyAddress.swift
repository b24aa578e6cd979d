import CFeedhostABI
import Foundation
import Glibc
import MarketData
import Secrets

/// An HTTP proxy that tunnels (CONNECT), with what it asks for.
public struct ProxyAddress: Sendable, CustomStringConvertible {
    public let host: String
    public let port: Int
    /// The value of `Proxy-Authorization`.
    let authorization: Secret?

    /// Without user name and password.
    public var description: String { "http://\(host.utf8.contains(0x3A) ? "[\(host)]" : host):\(port)" }

    /// - Parameter text: `http://USER:PASSWORD@HOST:PORT`; the scheme, the user and the port (80) may be left out. User and
    ///   password are percent-encoded.
    /// - Throws: `FH_E_INVALID`, or `FH_E_UNSUPPORTED` for another kind of proxy, without repeating the text.
    public init(_ text: String) throws(TransportFailure) {
        var rest = text[...]
        if let mark = text.firstRange(of: "://") {
            let scheme = text[..<mark.lowerBound].lowercased()
            guard scheme == "http" else {
                throw TransportFailure(
                    FH_E_UNSUPPORTED,
                    "only proxies that are spoken to in plain HTTP (http://HOST:PORT) are supported, not \(["https", "socks4", "socks4a", "socks5", "socks5h"].contains(scheme) ? "\(scheme)://" : "this scheme")"
                )
            }
            rest = text[mark.upperBound...]
        }
        var login: Substring?
        if let at = rest.lastIndex(of: "@") {
            login = rest[..<at]
            rest = rest[rest.index(after: at)...]
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.contains("/"), !rest.contains("?") else {
            throw TransportFailure(FH_E_INVALID, "a proxy's address ends with the port")
        }
        let url = try TransportURL("http://\(rest)")
        host = url.host
        port = url.port
        guard let login, !login.isEmpty else {
            authorization = nil
            return
        }
        guard let plain = String(login).removingPercentEncoding,
            !plain.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { throw TransportFailure(FH_E_INVALID, "the proxy's user name or password is not percent-encoded text") }
        let pair = login.contains(":") ? plain : "\(plain):"
        authorization = Secret("Basic \(Data(pair.utf8).base64EncodedString())")
    }
}

/// Which connections go through which proxy; as curl and most others read the environment.
public struct ProxyRules: Sendable {
    /// `HTTPS_PROXY`: for https and wss.
    public var secure: ProxyAddress?
    /// `ALL_PROXY`: for whatever has none of its own.
    public var all: ProxyAddress?
    /// `NO_PROXY`.
    public var exceptions: [ProxyException] = []

    public init() {}

    /// Nil: straight to the host.
    func proxy(for url: TransportURL) -> ProxyAddress? {
        guard let proxy = url.scheme.isSecure ? secure ?? all : all else { return nil }
        return exceptions.contains { $0.covers(url.host, port: url.port) } ? nil : proxy
    }
}

/// One entry of `NO_PROXY`: `*`, a name (with all names below it), an address, a network, each with a port if need be.
public struct ProxyException: Sendable, Hashable {
    private enum Target: Hashable {
        case everything
        case name(String)
        case network([UInt8], bits: Int)
    }

    private let target: Target
    private let port: Int?

    /// Nil for an entry that makes no sense.
    public init?(_ text: String) {
        var text = text.trimmingCharacters(in: .whitespaces).lowercased()
        guard !text.isEmpty else { return nil }
        var port: Int?
        // One colon, or one behind a bracket: more are an IPv6 address.
        if text.hasPrefix("[") || text.filter({ $0 == ":" }).count == 1, let colon = text.lastIndex(of: ":"),
            !text.hasPrefix("[") || text[..<colon].hasSuffix("]")
        {
            guard let number = Int(text[text.index(after: colon)...]), (1...65_535).contains(number) else { return nil }
            port = number
            text = String(text[..<colon])
        }
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        self.port = port
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if text == "*" {
            target = .everything
        } else if let bytes = Self.address(String(parts[0])) {
            let bits = parts.count == 1 ? bytes.count * 8 : Int(parts[1]) ?? -1
            guard parts.count <= 2, (0...bytes.count * 8).contains(bits) else { return nil }
            target = .network(bytes, bits: bits)
        } else {
            let name = text.hasPrefix("*.") ? text.dropFirst(2) : text.hasPrefix(".") ? text.dropFirst() : text[...]
            guard !name.isEmpty, !name.contains("/"), !name.contains("*"), !name.contains(":"), !name.contains(" ")
            else {
                return nil
            }
            target = .name(String(name))
        }
    }

    func covers(_ host: String, port: Int) -> Bool {
        if let own = self.port, own != port { return false }
        let host = host.lowercased()
        switch target {
        case .everything: return true
        case .name(let name): return host == name || host.hasSuffix(".\(name)")
        case .network(let network, let bits):
            guard let address = Self.address(host), address.count == network.count else { return false }
            let whole = bits / 8
            guard address.prefix(whole) == network.prefix(whole) else { return false }
            let rest = bits % 8
            return rest == 0 || (address[whole] ^ network[whole]) >> UInt8(8 - rest) == 0
        }
    }

    private static func address(_ text: String) -> [UInt8]? {
        var v4 = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &v4) == 1 { return v4 }
        var v6 = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET6, text, &v6) == 1 ? v6 : nil
    }
}
