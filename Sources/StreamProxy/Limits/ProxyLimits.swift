import NIOCore

/// What the proxy puts up with from one address, one user and one client. In every limit nil means none.
///
/// Rates are token buckets: ``burst`` seconds' worth may come at once.
public struct ProxyLimits: Sendable, Hashable {
    /// Sockets of one address, authenticated or not.
    public var connectionsPerAddress: Int?
    /// Connections that have shown a key of one user.
    public var connectionsPerUser: Int?
    /// Sockets without a valid key, of all addresses together.
    public var unauthenticated: Int?
    /// Sockets without a valid key of one address.
    public var unauthenticatedPerAddress: Int?
    /// Whether the two limits of sockets for each address hold for this machine too. All local programs share its address,
    /// and so do all clients behind a reverse proxy that is not trusted to name them.
    public var countsLocalSockets = false
    /// Wrong keys from one address, a minute. Right ones do not count.
    public var failedAuthentications: Int?
    /// The longest time that the answer to a key which is not looked at is held back.
    var longestHold = TimeAmount.seconds(5)
    /// Requests of one client, a second.
    public var requests: Int?
    /// Instruments that one client subscribes to, a second.
    public var subscriptions: Int?
    /// Instruments that one client holds.
    public var instruments: Int?

    /// Seconds of a rate that a client may use at once.
    public static let burst = 10

    /// No limits.
    public init() {}

    var requestRate: TokenBucket.Rate? { Self.rate(requests) }
    var subscriptionRate: TokenBucket.Rate? { Self.rate(subscriptions) }

    /// A minute's worth may come at once.
    var failureRate: TokenBucket.Rate? {
        failedAuthentications.map { TokenBucket.Rate(rate: Double($0) / 60, burst: Double($0)) }
    }

    private static func rate(_ perSecond: Int?) -> TokenBucket.Rate? {
        perSecond.map { TokenBucket.Rate(rate: Double($0), burst: Double($0 * burst)) }
    }
}
