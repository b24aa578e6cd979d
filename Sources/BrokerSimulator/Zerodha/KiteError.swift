import NIOHTTP1

/// Kite's refusals (Kite Connect docs, "Exceptions and errors").
enum KiteError {
    case input(String)
    case token
    case tooMany

    private struct Body: Encodable {
        var status = "error"
        var message: String
        var errorType: String

        enum CodingKeys: String, CodingKey {
            case status, message
            case errorType = "error_type"
        }
    }

    var answer: PlainAnswer {
        switch self {
        case .input(let message): .json(.badRequest, Body(message: message, errorType: "InputException"))
        case .token:
            .json(.forbidden, Body(message: "Incorrect `api_key` or `access_token`.", errorType: "TokenException"))
        case .tooMany: .json(.tooManyRequests, Body(message: "Too many requests", errorType: "NetworkException"))
        }
    }
}
