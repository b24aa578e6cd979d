import NIOHTTP1

/// Who may come in to Angel One's sockets.
struct AngelGate {
    private let checksAPIKey: Bool
    /// Every token that was accepted at some time: one of them that is no longer accepted has expired.
    private var issued: Set<String>

    /// - Parameter credentials: The first ones: they may have been rolled over since.
    init(_ credentials: SimulatorCredentials, checksAPIKey: Bool) {
        self.checksAPIKey = checksAPIKey
        issued = [credentials.accessToken]
    }

    /// - Parameter isFull: Whether the client code has as many connections of this kind as it may.
    mutating func admit(
        _ request: PlainRequest, kind: String, credentials: SimulatorCredentials, isFull: Bool
    ) -> Admission {
        issued.insert(credentials.accessToken)
        let shown = Shown(request)
        let secret = shown.token ?? shown.feedToken ?? ""
        if let refusal = kind == "orders" ? refuseOrders(shown, credentials) : refuse(shown, credentials) {
            return .refuse(Self.answer(refusal.status, refusal.text), reason: refusal.text, credentials: secret)
        }
        guard !isFull else {
            let text = "Invalid Request. Connection Limit Exceeded."
            return .refuse(Self.tooMany(text), reason: text, credentials: secret)
        }
        return .accept(kind: kind, credentials: secret)
    }

    /// What a request carries in headers, or in the query as browsers have to.
    private struct Shown {
        var token: String?
        var client: String?
        var apiKey: String?
        var feedToken: String?
        let isQuery: Bool

        init(_ request: PlainRequest) {
            let headers = request.headers
            let names = ["authorization", "x-client-code", "x-api-key", "x-feed-token"]
            isQuery = request.query["feedToken"] != nil && !names.contains { headers.contains(name: $0) }
            token = headers.first(name: "authorization").map(Self.bare)
            client = isQuery ? request.query["clientCode"] : headers.first(name: "x-client-code")
            apiKey = isQuery ? request.query["apiKey"] : headers.first(name: "x-api-key")
            feedToken = isQuery ? request.query["feedToken"] : headers.first(name: "x-feed-token")
        }

        /// The login's token may or may not begin with the word.
        private static func bare(_ value: String) -> String {
            value.hasPrefix("Bearer ") ? String(value.dropFirst("Bearer ".count)) : value
        }
    }

    private typealias Refusal = (status: HTTPResponseStatus, text: String)

    private func refuse(_ shown: Shown, _ credentials: SimulatorCredentials) -> Refusal? {
        if !shown.isQuery, shown.token != credentials.accessToken {
            return (.unauthorized, "Invalid Header - Invalid Auth token")
        }
        // There has to be one, but the tokens say whose session it is: clients of the real broker get in with a name
        // of their own beside a right token.
        if shown.client?.isEmpty ?? true { return (.unauthorized, "Invalid Header - Invalid Client Code") }
        if shown.apiKey?.isEmpty ?? true || checksAPIKey && shown.apiKey != credentials.apiKey {
            return (.unauthorized, "Invalid Header - Invalid API Key")
        }
        if shown.feedToken != credentials.feedToken { return (.unauthorized, "Invalid Header - Invalid Feed Token") }
        return nil
    }

    /// The order socket looks at the token alone.
    private func refuseOrders(_ shown: Shown, _ credentials: SimulatorCredentials) -> Refusal? {
        guard let token = shown.token, token != credentials.accessToken else {
            return shown.token == nil ? (.unauthorized, "Invalid Header - Invalid Auth token") : nil
        }
        guard issued.contains(token) else { return (.unauthorized, "Invalid Header - Invalid Auth token") }
        return (.forbidden, "Invalid Header - Expired Auth token")
    }

    private static func answer(_ status: HTTPResponseStatus, _ text: String) -> PlainAnswer {
        PlainAnswer(status, headers: [("x-error-message", text)])
    }

    /// The limit is kept by a proxy in front, whose page this is.
    private static func tooMany(_ text: String) -> PlainAnswer {
        let title = "429 Too Many Requests"
        var answer = PlainAnswer.text(
            .tooManyRequests,
            "<html>\r\n<head><title>\(title)</title></head>\r\n<body>\r\n<center><h1>\(title)</h1></center>\r\n"
                + "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
            type: "text/html")
        answer.headers.append(("x-error-message", text))
        return answer
    }
}
