import NIOCore
import NIOHTTP1

// Login and master files, on the same port as the ticker.
extension ZerodhaVenue {
    private struct Session: Encodable {
        struct User: Encodable {
            let broker = "ZERODHA"
            var userID: String
            var apiKey: String
            var accessToken: String
            var publicToken: String
            var loginTime: String

            enum CodingKeys: String, CodingKey {
                case broker
                case userID = "user_id"
                case apiKey = "api_key"
                case accessToken = "access_token"
                case publicToken = "public_token"
                case loginTime = "login_time"
            }
        }

        let status = "success"
        var data: User
    }

    func answer(_ request: PlainRequest) -> PlainAnswer? {
        if request.path == "/session/token", request.method == .POST { return login(request) }
        guard request.method == .GET, request.path == "/instruments" || request.path.hasPrefix("/instruments/") else {
            return nil
        }
        return master(request)
    }

    /// Exchanges any request token for today's access token, if the checksum proves that the secret is known.
    private func login(_ request: PlainRequest) -> PlainAnswer {
        let form = request.form
        let credentials = simulation.credentials
        guard let key = form["api_key"], let token = form["request_token"], let checksum = form["checksum"],
            !token.isEmpty
        else {
            return KiteError.input("Missing `api_key`, `request_token` or `checksum`.").answer
        }
        guard key == credentials.apiKey, checksum == SHA256Text.of(key + token + credentials.apiSecret) else {
            return KiteError.token.answer
        }
        return .json(
            .ok,
            Session(
                data: .init(
                    userID: credentials.user, apiKey: key, accessToken: credentials.accessToken,
                    publicToken: CredentialHash.of(credentials.accessToken),
                    loginTime: KiteOrder.timestamp(simulation.market.clock()))))
    }

    /// Whoever shows credentials must show the right ones; Kite serves its masters to everybody.
    private func master(_ request: PlainRequest) -> PlainAnswer {
        let credentials = simulation.credentials
        if let shown = request.headers.first(name: "Authorization"),
            shown != "token \(credentials.apiKey):\(credentials.accessToken)"
        {
            return KiteError.token.answer
        }
        let exchange = request.path.split(separator: "/").dropFirst().first.map(String.init)
        guard let body = masters[request.path] ?? Gzip.compress(KiteMaster.csv(simulation.market, exchange: exchange))
        else { return .text(.serviceUnavailable, "Out of memory.\n") }
        masters[request.path] = body
        return PlainAnswer(.ok, headers: [("Content-Type", "text/csv"), ("Content-Encoding", "gzip")], body: body)
    }
}
