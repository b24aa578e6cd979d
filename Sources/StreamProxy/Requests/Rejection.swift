import MarketData

/// An error frame in the making.
struct Rejection: Error {
    let code: FeedError.Code
    let message: String
    /// A better sentence than `message`, where that one must stay as it is.
    ///
    /// The texts of the Python proxy that show its insides (`'list' object has no attribute 'get'`) are kept word for
    /// word, because clients print them and users search for them; what was really wrong stands beside them.
    var detail: String?

    init(_ code: FeedError.Code, _ message: String, detail: String? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
    }

    init(_ error: any Error) {
        if let error = error as? FeedError {
            self.init(error.code, error.message)
        } else {
            self.init(.server, "\(error)".excerpt)
        }
    }

    /// What Python says when it looks for a member in something that has none.
    static func notAnObject(_ value: JSONValue, _ detail: String) -> Rejection {
        Rejection(.server, "'\(value.pythonType)' object has no attribute 'get'", detail: detail)
    }

    static let notAuthenticated = Rejection(.notAuthenticated, "You must authenticate first")
    static let noSession = Rejection(.broker, "Broker adapter not found")
}
