import NIOCore
import NIOHTTP1

extension AngelVenue {
    static let loginPath = "/rest/auth/angelbroking/user/v1/loginByPassword"

    func endpoints(at address: ServerAddress) -> Endpoints {
        Endpoints(
            url: "ws://\(address.authority)\(Self.marketPath)",
            ordersURL: "ws://\(address.authority)\(Self.orderPath)", restURL: "http://\(address.authority)",
            masters: ["http://\(address.authority)\(AngelMaster.path)"])
    }

    func answer(_ request: PlainRequest) -> PlainAnswer? {
        switch (request.method, request.path) {
        case (.GET, AngelMaster.path):
            PlainAnswer(.ok, headers: [("Content-Type", "application/json")], body: master)
        case (.POST, Self.loginPath): logIn(request)
        default: nil
        }
    }

    private struct Login: Decodable {
        let clientcode: String
        /// The PIN.
        let password: String
        let totp: String
    }

    /// Today's tokens, for whoever knows the PIN and shows six digits. A refused login is a 200 with its own code.
    private func logIn(_ request: PlainRequest) -> PlainAnswer {
        let credentials = simulation.credentials
        guard request.headers.first(name: "x-privatekey") == credentials.apiKey else {
            return Self.refused("AG8004", "Invalid API Key")
        }
        guard let login = try? request.json(Login.self), login.clientcode == credentials.user,
            login.password == credentials.password
        else { return Self.refused("AB1000", "Invalid clientcode or password") }
        guard login.totp.utf8.count == 6, login.totp.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return Self.refused("AB1050", "Invalid totp")
        }
        let data = JSONText.object([
            ("jwtToken", .text(credentials.accessToken)),
            ("refreshToken", .text("\(credentials.accessToken)-refresh")),
            ("feedToken", .text(credentials.feedToken)),
        ])
        return Self.reply([
            ("status", .raw("true")), ("message", .text("SUCCESS")), ("errorcode", .text("")), ("data", .raw(data)),
        ])
    }

    private static func refused(_ code: String, _ text: String) -> PlainAnswer {
        reply([
            ("status", .raw("false")), ("message", .text(text)), ("errorcode", .text(code)), ("data", .raw("null")),
        ])
    }

    private static func reply(_ members: [(String, JSONText.Value)]) -> PlainAnswer {
        .text(.ok, JSONText.object(members), type: "application/json")
    }
}
