import Foundation
import NIOCore
import NIOHTTP1

extension NorenVenue {
    /// Flattrade's exchange of a request code for today's token.
    static let flattradeLogin = "/trade/apitoken"

    func endpoints(at address: ServerAddress) -> Endpoints {
        let socket = "ws://\(address.authority)\(broker.socketPath)"
        let paths =
            switch broker.masters {
            case .csv: NorenMaster.csvNames.map { NorenMaster.csvFolder + $0 }
            case .zippedText: NorenMaster.textExchanges.map(NorenMaster.zipPath)
            }
        return Endpoints(
            url: socket, ordersURL: socket, restURL: "http://\(address.authority)",
            masters: paths.map { "http://\(address.authority)\($0)" })
    }

    func answer(_ request: PlainRequest) -> PlainAnswer? {
        if request.method == .GET, let file = masters[request.path] {
            let type = request.path.hasSuffix(".zip") ? "application/zip" : "text/csv"
            return PlainAnswer(.ok, headers: [("Content-Type", type)], body: file)
        }
        guard request.method == .POST else { return nil }
        if request.path == Self.flattradeLogin { return exchangeCode(request) }
        if request.path.hasSuffix("/GenAcsTok") { return exchangeCodeOfFamily(request) }
        if request.path.hasSuffix("/QuickAuth") { return logInWithPassword(request) }
        return nil
    }

    private struct FlattradeLogin: Decodable {
        let apiKey: String
        let code: String
        /// The SHA-256 of key, code and secret.
        let checksum: String

        enum CodingKeys: String, CodingKey {
            case apiKey = "api_key"
            case code = "request_code"
            case checksum = "api_secret"
        }
    }

    private func exchangeCode(_ request: PlainRequest) -> PlainAnswer {
        let credentials = simulation.credentials
        guard let login = try? request.json(FlattradeLogin.self), login.apiKey == credentials.apiKey,
            login.checksum == SHA256Text.of(credentials.apiKey + login.code + credentials.apiSecret)
        else { return refused("INVALID_REQUEST_CODE : Invalid Request Code or API Secret") }
        return reply([
            ("token", credentials.accessToken), ("client", credentials.user), ("status", "Ok"), ("stat", "Ok"),
            ("emsg", ""),
        ])
    }

    /// `jData=` and a JSON object of strings; not a form: the object is not escaped.
    private func fields(_ request: PlainRequest) -> [String: String]? {
        let body = String(buffer: request.body)
        guard body.hasPrefix("jData=") else { return nil }
        let json = body.dropFirst("jData=".count)
        let escaped = String(json.split(separator: "&jKey=").first ?? "")
        for text in [escaped, request.form["jData"] ?? ""] {
            if let fields = try? JSONDecoder().decode([String: String].self, from: Data(text.utf8)) { return fields }
        }
        return nil
    }

    private func exchangeCodeOfFamily(_ request: PlainRequest) -> PlainAnswer {
        let credentials = simulation.credentials
        guard let fields = fields(request), let code = fields["code"],
            fields["checksum"] == SHA256Text.of(credentials.apiKey + credentials.apiSecret + code)
        else { return refused("Invalid Input : Invalid Checksum") }
        return reply([
            ("stat", "Ok"), ("access_token", credentials.accessToken), ("susertoken", credentials.accessToken),
            ("uid", credentials.user), ("actid", credentials.user),
        ])
    }

    /// The login before codes: the password's SHA-256, six digits, and the SHA-256 of user and secret.
    private func logInWithPassword(_ request: PlainRequest) -> PlainAnswer {
        let credentials = simulation.credentials
        guard let fields = fields(request), fields["uid"] == credentials.user,
            fields["pwd"] == SHA256Text.of(credentials.password)
        else { return refused("Invalid Input : Wrong user id or password") }
        guard fields["appkey"] == SHA256Text.of("\(credentials.user)|\(credentials.apiSecret)") else {
            return refused("Invalid Input : Invalid App Key")
        }
        guard let digits = fields["factor2"], digits.utf8.count == 6, digits.allSatisfy(\.isNumber) else {
            return refused("Invalid Input : Invalid OTP")
        }
        return reply([
            ("stat", "Ok"), ("susertoken", credentials.accessToken), ("uid", credentials.user),
            ("actid", credentials.user), ("uname", "SIMULATED"),
        ])
    }

    private func refused(_ text: String) -> PlainAnswer { reply([("stat", "Not_Ok"), ("emsg", text)]) }

    private func reply(_ members: [(String, String)]) -> PlainAnswer {
        .text(.ok, JSONText.object(members.map { ($0.0, .text($0.1)) }), type: "application/json")
    }
}
