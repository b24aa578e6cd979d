/// What went wrong, in a code that programs read and a sentence for the person in front of them.
public struct FeedError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The stable codes of the client protocol (client-protocol.md section 2).
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        public static let authentication = Code(rawValue: "AUTHENTICATION_ERROR")
        public static let broker = Code(rawValue: "BROKER_ERROR")
        public static let brokerInit = Code(rawValue: "BROKER_INIT_ERROR")
        public static let brokerConnection = Code(rawValue: "BROKER_CONNECTION_ERROR")
        public static let notAuthenticated = Code(rawValue: "NOT_AUTHENTICATED")
        public static let invalidMode = Code(rawValue: "INVALID_MODE")
        public static let invalidParameters = Code(rawValue: "INVALID_PARAMETERS")
        public static let invalidAction = Code(rawValue: "INVALID_ACTION")
        public static let invalidJSON = Code(rawValue: "INVALID_JSON")
        public static let server = Code(rawValue: "SERVER_ERROR")
        public static let symbolNotFound = Code(rawValue: "SYMBOL_NOT_FOUND")
        public static let subscription = Code(rawValue: "SUBSCRIPTION_ERROR")
        /// What the key does not allow; says nothing of whether the symbol exists.
        public static let notPermitted = Code(rawValue: "NOT_PERMITTED")
        /// Too many requests, subscriptions or attempts in too short a time; the text says how long to wait.
        public static let rateLimited = Code(rawValue: "RATE_LIMITED")
        public static let capacity = Code(rawValue: "MAX_CAPACITY_REACHED")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
