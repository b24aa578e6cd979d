/// One instrument that a client wants, with how much of it.
public struct Wish: Sendable, Hashable {
    public let instrument: Instrument
    public let mode: Mode
    /// Levels asked for; the session grants the largest that the broker has not above it.
    public let depth: Int
    /// True when the symbol was written with a suffix, `RELIANCE:20`.
    public let suffixed: Bool

    public init(instrument: Instrument, mode: Mode, depth: Int = 5, suffixed: Bool = false) {
        self.instrument = instrument
        self.mode = mode
        self.depth = depth
        self.suffixed = suffixed
    }

    /// What the route's name carries: the depth that was written behind the symbol, or 0.
    public var suffix: UInt16 { suffixed ? UInt16(clamping: depth) : 0 }
}

/// What became of a ``Wish``.
public struct WishOutcome: Sendable {
    /// A stream that now exists.
    public struct Grant: Sendable {
        public let route: RouteKey
        /// Levels really granted, also for modes without a book (client-protocol.md section 3).
        public let depth: Int
        /// The broker has not confirmed it yet: it is sent after the next connect, or was sent and is not answered.
        public let pending: Bool
        public init(route: RouteKey, depth: Int, pending: Bool) {
            self.route = route
            self.depth = depth
            self.pending = pending
        }
    }
    public let wish: Wish
    public let result: Result<Grant, FeedError>
    public init(wish: Wish, result: Result<Grant, FeedError>) {
        self.wish = wish
        self.result = result
    }
}

/// One user's feed from one broker, shared by all of that user's clients. Any thread.
public protocol MarketSession: AnyObject, Sendable {
    /// Process-wide, never 0, never reused.
    var id: UInt32 { get }
    var user: String { get }
    /// The name that clients see.
    var broker: String { get }
    /// What the adapter can do.
    var modes: Set<Mode> { get }
    /// Returns when the broker is ready or has been given time enough.
    /// - Throws: ``FeedError`` when the broker has refused.
    func ready() async throws
    /// One outcome for each wish, in order. Every grant holds one reference until ``unsubscribe(_:)``.
    /// - Parameter time: Within which the outcomes are known (half a second more for an adapter that is stuck); what the
    ///   broker has not answered by then is a grant that is pending.
    func subscribe(_ wishes: [Wish], within time: Duration) async -> [WishOutcome]
    /// Gives references back.
    func unsubscribe(_ routes: [RouteKey]) async
    /// Has the broker send the user's order updates, which come by the bus. Each call that returns holds one reference
    /// until ``stopOrders()``; one that throws holds none.
    /// - Throws: ``FeedError`` when the broker has no order stream. Updates may come from publishers outside all the same.
    func startOrders() async throws
    /// Gives the reference back.
    func stopOrders() async
    /// `connected`, `connecting`, `disconnected`.
    func status() async -> String
    /// What a client that comes now has to know of the session; nil when all is well.
    var trouble: SessionEvent? { get }
}

extension MarketSession {
    public var trouble: SessionEvent? { nil }
}

extension MarketSession {
    /// As long as OpenAlgo's own client, which gives up after 10 s, leaves time for.
    public func subscribe(_ wishes: [Wish]) async -> [WishOutcome] { await subscribe(wishes, within: .seconds(7)) }
}

/// Where clients find their user's session. Any thread.
public protocol SessionDirectory: Sendable {
    /// Brokers that users can be on, in the order to show them.
    var brokers: [String] { get }
    /// The user's session, made if there is none. Every call holds one reference until ``detach(_:)``.
    /// - Throws: ``FeedError`` when there is no adapter for the broker.
    func attach(user: String, broker: String) async throws -> any MarketSession
    /// Gives the reference back; the session ends after its keep-alive time.
    func detach(_ session: any MarketSession) async
}
