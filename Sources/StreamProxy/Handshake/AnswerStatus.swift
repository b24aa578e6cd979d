/// What an HTTP request is answered with when it does not become a WebSocket.
struct AnswerStatus: Equatable {
    let code: Int
    let reason: String

    private init(_ code: Int, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    static let badRequest = AnswerStatus(400, "Bad Request")
    static let forbidden = AnswerStatus(403, "Forbidden")
    static let methodNotAllowed = AnswerStatus(405, "Method Not Allowed")
    static let uriTooLong = AnswerStatus(414, "URI Too Long")
    static let upgradeRequired = AnswerStatus(426, "Upgrade Required")
    static let tooManyRequests = AnswerStatus(429, "Too Many Requests")
    static let fieldsTooLarge = AnswerStatus(431, "Request Header Fields Too Large")
    static let notImplemented = AnswerStatus(501, "Not Implemented")
    static let versionNotSupported = AnswerStatus(505, "HTTP Version Not Supported")

    /// The fields that belong to the status, each with its line end.
    var fields: String {
        switch code {
        case 405: "Connection: close\r\nAllow: GET, HEAD\r\n"
        // RFC 6455 section 4.4: which version would do.
        case 426: "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        case 429: "Connection: close\r\nRetry-After: 5\r\n"
        default: "Connection: close\r\n"
        }
    }
}
