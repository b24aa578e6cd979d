import Foundation
import NIOCore
import NIOHTTP1

/// An HTTP request, whole: an upgrade or a plain one.
struct PlainRequest {
    var method: HTTPMethod
    /// Without the query.
    var path: String
    /// Decoded; of several values of one name the first.
    var query: [String: String]
    var headers: HTTPHeaders
    var body = ByteBuffer()

    init(head: HTTPRequestHead, body: ByteBuffer = ByteBuffer()) {
        method = head.method
        headers = head.headers
        self.body = body
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts.first ?? "/")
        query = parts.count > 1 ? Self.fields(String(parts[1])) : [:]
    }

    /// The body as an HTML form.
    var form: [String: String] { Self.fields(String(buffer: body)) }

    /// The body as JSON.
    func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(body.readableBytesView))
    }

    private static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = decoded(parts[0])
            guard fields[name] == nil else { continue }
            fields[name] = parts.count > 1 ? decoded(parts[1]) : ""
        }
        return fields
    }

    private static func decoded(_ text: Substring) -> String {
        let spaced = String(text.map { $0 == "+" ? " " : $0 })
        return spaced.removingPercentEncoding ?? spaced
    }
}

/// An HTTP answer, whole.
struct PlainAnswer {
    var status: HTTPResponseStatus
    var headers: [(String, String)] = []
    var body = ByteBuffer()

    init(_ status: HTTPResponseStatus, headers: [(String, String)] = [], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A text, or JSON that is one already.
    static func text(_ status: HTTPResponseStatus, _ text: String, type: String = "text/plain; charset=utf-8") -> Self {
        PlainAnswer(status, headers: [("Content-Type", type)], body: ByteBuffer(string: text))
    }

    static func json(_ status: HTTPResponseStatus, _ value: some Encodable) -> Self {
        PlainAnswer(status, headers: [("Content-Type", "application/json")], body: JSONBytes.of(value))
    }
}
