/// What has become of a session, for its clients to know.
public struct SessionEvent: Sendable, Hashable {
    /// The `code` of the notice.
    public struct Code: Sendable, Hashable, RawRepresentable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The user's credentials were revoked, are missing or were refused: nothing comes until there are new ones.
        public static let loggedOut = Code(rawValue: "BROKER_LOGGED_OUT")
        /// The broker has refused for another reason, and is not asked again before credentials change.
        public static let stopped = Code(rawValue: "BROKER_STOPPED")
        /// Connections are down, and come back by themselves: see ``SessionEvent/outage``.
        public static let disconnected = Code(rawValue: "BROKER_DISCONNECTED")
        /// After one of the others: the broker is connected again, and subscriptions are restored.
        public static let connected = Code(rawValue: "BROKER_CONNECTED")
    }

    /// ``MarketSession/id``.
    public let session: UInt32
    /// The name that clients see.
    public let broker: String
    public let code: Code
    /// A sentence for the user, with what to do.
    public let message: String
    /// What is down; of ``Code/disconnected`` alone.
    public let outage: Outage?

    public init(session: UInt32, broker: String, code: Code, message: String, outage: Outage? = nil) {
        self.session = session
        self.broker = broker
        self.code = code
        self.message = message
        self.outage = outage
    }

    /// True when both say the same to a client; when the next attempt is due changes with every attempt.
    public func repeats(_ other: SessionEvent) -> Bool {
        session == other.session && code == other.code && outage?.extent == other.outage?.extent
            && outage?.since == other.outage?.since
    }
}
