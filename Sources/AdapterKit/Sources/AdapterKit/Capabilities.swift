import CFeedhostABI

/// What a broker offers and how it likes to be treated. The host acts on this and holds no broker's name.
///
/// Durations are rounded to milliseconds; `nil` leaves the host's default in place.
public struct Capabilities: Sendable {
    /// Yes-or-no properties of a broker.
    public struct Traits: OptionSet, Hashable, Sendable {
        /// The bits as they cross the C interface.
        public var rawValue: UInt32

        /// Wraps the bits `rawValue`.
        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// The broker sends a full record after a subscription.
        public static let snapshotOnSubscribe = Traits(rawValue: UInt32(FH_CAP_SNAPSHOT_ON_SUB))
        /// The broker confirms subscriptions; without this the kit reports them as sent when `subscribe` returns.
        public static let confirmsSubscriptions = Traits(rawValue: UInt32(FH_CAP_SUB_ACK))
        /// Ticks carry a sequence number.
        public static let sequenceNumbers = Traits(rawValue: UInt32(FH_CAP_SEQUENCE))
        /// The access token dies every day.
        public static let dailyToken = Traits(rawValue: UInt32(FH_CAP_DAILY_TOKEN))
        /// One session an account: never a second link.
        public static let exclusiveSession = Traits(rawValue: UInt32(FH_CAP_EXCLUSIVE_SESSION))
        /// There is no instrument master: every symbol is handed to `subscribe`.
        public static let anySymbol = Traits(rawValue: UInt32(FH_CAP_ANY_SYMBOL))
    }

    /// Where order updates come from.
    public struct OrderStream: Hashable, Sendable {
        let rawValue: UInt32
        /// Nowhere.
        public static let none = OrderStream(rawValue: UInt32(FH_ORDERS_NONE))
        /// The socket of the market data.
        public static let sameSocket = OrderStream(rawValue: UInt32(FH_ORDERS_SAME_SOCKET))
        /// A socket of its own.
        public static let ownSocket = OrderStream(rawValue: UInt32(FH_ORDERS_OWN_SOCKET))
        /// Repeated requests.
        public static let polling = OrderStream(rawValue: UInt32(FH_ORDERS_POLL))
    }

    /// The OpenAlgo exchanges, e.g. `NSE`, `NSE_INDEX`.
    public var exchanges: [String]
    /// The modes that can be subscribed to.
    public var modes: Cargo = .marketData
    /// Yes-or-no properties.
    public var traits: Traits = []
    /// Where order updates come from.
    public var orderStream: OrderStream = .none
    /// Depth levels by exchange; empty means 5 levels everywhere.
    public var depth: [DepthLevels] = []
    /// Kinds of connection; empty means one kind without a quota.
    public var links: [Link] = []
    /// How long the host waits for the outcome of a subscription.
    public var acknowledgementTimeout: Duration?
    /// How long the connection outlives its last client.
    public var keepAlive: Duration?
    /// How often the host pings the broker's WebSocket.
    public var pingInterval: Duration?
    /// How long a pong may take before the host reconnects.
    public var pongTimeout: Duration?
    /// The adapter's own heartbeat, for information.
    public var heartbeat: Duration?
    /// The host reconnects a link that has subscriptions and is silent for so long.
    public var silenceLimit: Duration?
    /// The same, outside market hours.
    public var offHoursSilenceLimit: Duration?
    /// The first wait before a reconnect.
    public var backoffBase: Duration?
    /// The longest wait before a reconnect.
    public var backoffMaximum: Duration?

    /// Capabilities with every other property at its default.
    public init(exchanges: [String]) {
        self.exchanges = exchanges
    }

    /// The levels to grant for a wish of `levels` on `exchange`: the largest offer not above it, or else the smallest
    /// offer.
    public func depthLevels(for levels: Int, on exchange: String) -> Int {
        let offer =
            depth.first { $0.exchange == exchange }?.levels ?? depth.first { $0.exchange == "*" }?.levels ?? [5]
        return offer.last { $0 <= levels } ?? offer.first ?? 5
    }
}

/// The depth levels that one exchange offers through a broker.
public struct DepthLevels: Hashable, Sendable {
    /// OpenAlgo exchange; `*` stands for all that are not named.
    public var exchange: String
    /// Ascending, e.g. 5, 20, 30; at most six.
    public var levels: [Int]

    /// Levels of `exchange`; sorted and cut to the six that the C interface has room for.
    public init(_ exchange: String, _ levels: [Int]) {
        self.exchange = exchange
        self.levels = Array(levels.filter { (1...200).contains($0) }.sorted().prefix(6))
    }
}
