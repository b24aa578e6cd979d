@testable import StreamProxy

/// Requests for a WebSocket, right and wrong, and what RFC 6455, 9110 and 9112 want them answered with.
enum RequestTable {
    struct Row: Sendable, CustomStringConvertible {
        let name: String
        let request: String
        let status: Int
        var isWelcome: Bool { status == 101 }
        /// A plain request is told what is here and counted as nothing wrong.
        let isInnocent: Bool
        var description: String { name }
    }

    private static let good = [
        "Host": "me.example:8765", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
    ]

    /// - Parameters:
    ///   - change: Values in place of the good ones; nil leaves the field out.
    ///   - more: Lines behind them.
    private static func row(
        _ status: Int, _ name: String, line: String = "GET / HTTP/1.1", _ change: [String: String?] = [:],
        more: [String] = [], end: String = "\r\n", isInnocent: Bool = false
    ) -> Row {
        var fields = good.mapValues { Optional($0) }
        for (field, value) in change { fields.updateValue(value, forKey: field) }
        let lines = fields.sorted { $0.key < $1.key }.compactMap { field, value in value.map { "\(field): \($0)" } }
        let request = ([line] + lines + more).map { $0 + end }.joined() + end
        return Row(name: name, request: request, status: status, isInnocent: isInnocent)
    }

    static let rows = lines + keys + hosts + versions + extensions + lists + contents + forms + sizes

    private static let lines = [
        row(101, "a path", line: "GET /ws?a=b%20c|d HTTP/1.1"),
        row(101, "a URL as the target", line: "GET http://me.example:8765/ws HTTP/1.1"),
        row(101, "a ws URL without a path", line: "GET ws://[::1]:8765 HTTP/1.1"),
        row(101, "an empty line first", line: "\r\nGET / HTTP/1.1"),
        row(101, "HTTP/1.2", line: "GET / HTTP/1.2"),
        row(400, "an asterisk", line: "GET * HTTP/1.1"),
        row(400, "an asterisk for HEAD", line: "HEAD * HTTP/1.1"),
        row(400, "a host as the target", line: "GET me.example:80 HTTP/1.1"),
        row(400, "no slash", line: "GET ws HTTP/1.1"),
        row(400, "a URL without a host", line: "GET http:///ws HTTP/1.1"),
        row(400, "a fragment", line: "GET /#a HTTP/1.1"), row(400, "a target beyond ASCII", line: "GET /é HTTP/1.1"),
        row(400, "a file's URL", line: "GET file:///etc HTTP/1.1"),
        row(400, "two spaces", line: "GET  / HTTP/1.1"), row(400, "a space in the target", line: "GET /a b HTTP/1.1"),
        row(400, "no version", line: "GET /"), row(400, "a small version", line: "GET / http/1.1"),
        row(400, "a version of four digits", line: "GET / HTTP/1.10"), row(400, "no HTTP", line: "HELO me.example"),
        row(505, "HTTP/2.0", line: "GET / HTTP/2.0"), row(505, "HTTP/2 at once", line: "PRI * HTTP/2.0"),
        row(426, "HTTP/1.0 knows no upgrade", line: "GET / HTTP/1.0"),
        row(426, "HEAD", line: "HEAD / HTTP/1.1"),
        row(501, "a method in small letters", line: "get / HTTP/1.1"), row(501, "BREW", line: "BREW / HTTP/1.1"),
        row(405, "POST", line: "POST / HTTP/1.1"), row(405, "OPTIONS *", line: "OPTIONS * HTTP/1.1"),
        row(405, "CONNECT", line: "CONNECT me.example:80 HTTP/1.1"),
        row(400, "CONNECT with a path", line: "CONNECT / HTTP/1.1"),
    ]

    private static let keys = [
        row(101, "another key", ["Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="]),
        row(101, "bits that nobody needs", ["Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDx=="]),
        row(101, "white space around it", ["Sec-WebSocket-Key": " \t dGhlIHNhbXBsZSBub25jZQ== \t"]),
        row(400, "no key", ["Sec-WebSocket-Key": nil]), row(400, "an empty key", ["Sec-WebSocket-Key": ""]),
        row(400, "15 bytes", ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j"]),
        row(400, "17 bytes", ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZWU="]),
        row(400, "18 bytes", ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZWVl"]),
        row(400, "unpadded", ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ"]),
        row(400, "base64url", ["Sec-WebSocket-Key": "-_hlIHNhbXBsZSBub25jZQ=="]),
        row(400, "no base64", ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j!Q=="]),
        row(400, "padding inside", ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25=ZQ=="]),
        row(400, "two keys", more: ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]),
        row(400, "two in one", ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="]),
    ]

    private static let hosts = [
        row(101, "an empty host", ["Host": ""]), row(101, "IPv6", ["Host": "[2001:db8::1]:8765"]),
        row(101, "a port that is left out", ["Host": "me:"]), row(101, "an underscore", ["Host": "my_host"]),
        row(400, "no host", ["Host": nil]), row(400, "two hosts", more: ["Host: me.example:8765"]),
        row(400, "two hosts, in small letters", more: ["host: other"]),
        row(400, "a space in it", ["Host": "me example"]), row(400, "a path in it", ["Host": "me/ws"]),
        row(400, "a user in it", ["Host": "a@me"]), row(400, "a port of letters", ["Host": "me:http"]),
        row(400, "IPv6 without brackets", ["Host": "::1"]), row(400, "brackets around a name", ["Host": "[me]"]),
        row(400, "HTTP/1.0 with two", line: "GET / HTTP/1.0", more: ["Host: other"]),
        row(426, "HTTP/1.0 without one", line: "GET / HTTP/1.0", ["Host": nil]),
    ]

    private static let versions = [
        row(426, "version 8", ["Sec-WebSocket-Version": "8"]), row(426, "no version", ["Sec-WebSocket-Version": nil]),
        row(426, "a list of versions", ["Sec-WebSocket-Version": "13, 8"]),
        row(426, "013", ["Sec-WebSocket-Version": "013"]),
        row(426, "version 8 and a bad key", ["Sec-WebSocket-Version": "8", "Sec-WebSocket-Key": "AAAA"]),
        row(400, "two versions", more: ["Sec-WebSocket-Version: 13"]),
    ]

    private static let extensions =
        [
            ("permessage-deflate", 101), ("permessage-deflate; client_max_window_bits", 101),
            ("permessage-deflate; client_max_window_bits=\"1\\5\"", 101), ("permessage-deflate; unknown=1", 101),
            ("x-webkit-deflate-frame", 101), ("foo; bar=baz, , permessage-deflate", 101), ("", 101), (",", 101),
            (";", 400), ("permessage-deflate;", 400), ("permessage-deflate; =15", 400), ("permessage-deflate; a=", 400),
            ("permessage-deflate; a=\"b c\"", 400), ("permessage-deflate; a=\"b", 400),
            ("permessage-deflate; a=\"\"", 400),
            ("permessage deflate", 400), ("permessage-deflate;; a", 400), ("permessage-deflate=1", 400),
            ("permessage-deflate, @", 400), ("permessage-deflate; a==b", 400), ("\"permessage-deflate\"", 400),
        ].map { value, status in
            row(status, "extensions \(value)", more: ["Sec-WebSocket-Extensions: \(value)"])
        } + [
            row(
                101, "extensions in two lines",
                more: ["Sec-WebSocket-Extensions: foo", "Sec-WebSocket-Extensions: bar; a=b"]),
            row(
                400, "the second line is wrong", more: ["Sec-WebSocket-Extensions: foo", "Sec-WebSocket-Extensions: ;"]),
        ]

    private static let lists = [
        row(101, "capitals", ["Upgrade": "WebSocket", "Connection": "UPGRADE"]),
        row(101, "lists", ["Upgrade": "h2c, websocket", "Connection": "keep-alive, Upgrade"]),
        row(101, "two lines of Connection", ["Connection": "keep-alive"], more: ["connection: upgrade"]),
        row(426, "no Upgrade", ["Upgrade": nil], isInnocent: true),
        row(426, "another protocol", ["Upgrade": "h2c"], isInnocent: true),
        row(426, "no Connection", ["Connection": nil]), row(426, "keep-alive", ["Connection": "keep-alive"]),
    ]

    private static let contents = [
        row(101, "a length of zero", more: ["Content-Length: 0"]),
        row(400, "content", more: ["Content-Length: 5"]), row(400, "chunks", more: ["Transfer-Encoding: chunked"]),
        row(400, "both", more: ["Transfer-Encoding: chunked", "Content-Length: 0"]),
        row(400, "two lengths", more: ["Content-Length: 0", "Content-Length: 0"]),
        row(400, "a length below zero", more: ["Content-Length: -1"]),
        row(400, "a length of nothing", more: ["Content-Length:"]),
        row(400, "a list of lengths", more: ["Content-Length: 0, 0"]),
    ]

    private static let forms = [
        row(101, "no space behind a colon", more: ["X-Test:1"]), row(101, "bytes beyond ASCII", more: ["X-Test: é"]),
        row(101, "an empty value", more: ["X-Test:"]), row(101, "a tab in a value", more: ["X-Test: a\tb"]),
        row(400, "line ends without CR", end: "\n"), row(400, "a folded line", more: ["X-Test: a", "  b"]),
        row(400, "a space before a colon", more: ["X-Test : 1"]), row(400, "a line without a colon", more: ["X-Test"]),
        row(400, "a field without a name", more: [": 1"]), row(400, "a name beyond ASCII", more: ["é: 1"]),
        row(400, "a CR in a value", more: ["X-Test: a\rb"]), row(400, "a NUL in a value", more: ["X-Test: a\u{0}b"]),
    ]

    private static let sizes = [
        row(101, "a field of 30,000 bytes", more: ["X-Test: \(String(repeating: "x", count: 30_000))"]),
        row(431, "a field of 33,000 bytes", more: ["X-Test: \(String(repeating: "x", count: 33_000))"]),
        row(101, "200 fields", more: (0..<200).map { "X-\($0): 1" }),
        row(431, "300 fields", more: (0..<300).map { "X-\($0): 1" }),
        row(431, "many long fields", more: (0..<20).map { "X-\($0): \(String(repeating: "x", count: 4_000))" }),
        row(431, "HEAD, fields too large", line: "HEAD / HTTP/1.1", more: (0..<300).map { "X-\($0): 1" }),
        row(101, "a path of 30,000 bytes", line: "GET /\(String(repeating: "x", count: 30_000)) HTTP/1.1"),
        row(414, "a path of 40,000 bytes", line: "GET /\(String(repeating: "x", count: 40_000)) HTTP/1.1"),
    ]
}
