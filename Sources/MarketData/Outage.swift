/// What is down of a session. Times in ms since 1970, UTC.
public struct Outage: Sendable, Hashable {
    /// The `reason` of the notice: one word for programs.
    public struct Reason: Sendable, Hashable, RawRepresentable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The connection could not be made, or broke.
        public static let network = Reason(rawValue: "network")
        /// The first connection is still being made.
        public static let connecting = Reason(rawValue: "connecting")
        /// The connection stood, and nothing came.
        public static let silence = Reason(rawValue: "silence")
        /// Another login of the account took the session.
        public static let replaced = Reason(rawValue: "replaced")
        /// The broker has refused the credentials once; it is asked once more.
        public static let credentials = Reason(rawValue: "credentials")
        public static let rateLimited = Reason(rawValue: "rate_limited")
        /// The account has too many connections.
        public static let connectionLimit = Reason(rawValue: "connection_limit")
        /// The broker sent what its protocol does not allow.
        public static let protocolViolation = Reason(rawValue: "protocol")
        public static let maintenance = Reason(rawValue: "maintenance")
    }

    /// How much is down.
    public struct Extent: Sendable, Hashable {
        public let reason: Reason
        /// Connections that the session has, and how many of them are down.
        public let connections: Int
        public let down: Int
        /// True when order updates are wanted and no connection brings them.
        public let stopsOrders: Bool

        public init(reason: Reason, connections: Int, down: Int, stopsOrders: Bool) {
            self.reason = reason
            self.connections = connections
            self.down = down
            self.stopsOrders = stopsOrders
        }
    }

    public let extent: Extent
    /// When it began: the earliest of the connections that are down.
    public let since: Int
    /// When the next connection is tried; nil while one is being tried, or when none will be.
    public let nextAttempt: Int?
    /// The user's instruments that get no data now.
    public let instruments: Int

    public init(extent: Extent, since: Int, nextAttempt: Int?, instruments: Int) {
        self.extent = extent
        self.since = since
        self.nextAttempt = nextAttempt
        self.instruments = instruments
    }
}
