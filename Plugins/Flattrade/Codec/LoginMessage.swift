import AdapterKit

/// The first message of a session.
struct LoginMessage {
    /// Which of its two forms a server understands.
    enum Generation: String {
        /// `a`, answered by `ak`.
        case new
        /// `c`, answered by `ck`; servers are being moved away from it.
        case old
    }

    let userID: String
    let text: String
    private let token: String

    /// The message with the credentials of this moment.
    ///
    /// - Throws: ``Status/authentication`` naming what is missing.
    init(_ credentials: Credentials, _ generation: Generation, broker: String) throws(AdapterError) {
        userID = Self.userID(credentials)
        guard !userID.isEmpty else {
            throw AdapterError(.authentication, "\(broker) needs user_id, the client id, and none is stored")
        }
        token = credentials.accessToken
        guard !token.isEmpty else {
            throw AdapterError(.authentication, "\(broker) needs access_token, of today's login, and none is stored")
        }
        let user = JSONText.quoted(userID)
        let secret = JSONText.quoted(token)
        text =
            switch generation {
            case .new:
                "{\"t\":\"a\",\"uid\":\(user),\"actid\":\(user),\"source\":\"API\",\"accesstoken\":\(secret)}"
            case .old:
                "{\"t\":\"c\",\"uid\":\(user),\"actid\":\(user),\"susertoken\":\(secret),\"source\":\"API\"}"
            }
    }

    /// What the broker says of a login, fit for a log: short, and without the token if it repeats it.
    func withoutSecrets(_ message: String) -> String {
        let clean = message.split(separator: token, omittingEmptySubsequences: false).joined(separator: "…")
        return String(clean.prefix(200))
    }

    /// The client id, or, without one, the first part of an API key as OpenAlgo stores it: `clientid:::apikey`.
    private static func userID(_ credentials: Credentials) -> String {
        if !credentials.userID.isEmpty { return credentials.userID }
        let parts = credentials.apiKey.split(separator: ":::", maxSplits: 1)
        return parts.count == 2 ? String(parts[0]) : ""
    }
}
