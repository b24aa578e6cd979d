import AdapterKit

/// What Kite knows an app and its user by.
struct Login {
    /// The protocol version that all requests name.
    static let versionHeader = ("X-Kite-Version", "3")

    private let apiKey: String
    private let accessToken: String

    /// Takes what the user has stored.
    ///
    /// OpenAlgo keeps both in one text, `API_KEY:ACCESS_TOKEN`; the key in there is the one that the token was made for.
    ///
    /// - Throws: ``Status/authentication`` naming what is missing.
    init(apiKey: String, accessToken: String) throws(AdapterError) {
        let parts = accessToken.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let isJoined = parts.count == 2
        let key = isJoined && !parts[0].isEmpty ? String(parts[0]) : apiKey
        let token = isJoined ? String(parts[1]) : accessToken
        guard !token.isEmpty else {
            throw AdapterError(.authentication, "access_token is missing; log in to Kite and store today's token")
        }
        guard !key.isEmpty else {
            throw AdapterError(.authentication, "api_key is missing; store that of your Kite Connect app")
        }
        self.apiKey = key
        self.accessToken = token
    }

    /// The ticker's address; the login is in its query.
    func tickerURL(_ endpoint: String) -> String {
        var base = endpoint[...]
        while base.hasSuffix("/") { base.removeLast() }
        return "\(base)/?api_key=\(Self.escaped(apiKey))&access_token=\(Self.escaped(accessToken))"
    }

    /// The header field of requests by HTTP.
    var authorization: (String, String) { ("Authorization", "token \(apiKey):\(accessToken)") }

    /// Everything but unreserved characters (RFC 3986, section 2.3) as `%XX`.
    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
