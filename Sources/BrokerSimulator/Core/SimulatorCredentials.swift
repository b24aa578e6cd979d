/// What a simulator accepts. The defaults are public: they open nothing but a simulator.
public struct SimulatorCredentials: Sendable {
    /// The application's key.
    public var apiKey = "simkey"
    /// Goes into checksums of a login.
    public var apiSecret = "simsecret"
    /// The login: user id, client code.
    public var user = "SIM001"
    /// PIN or password of a login.
    public var password = "1234"
    /// Today's token: access token, JWT, session token.
    public var accessToken = "simtoken"
    /// A second token, where a broker has one for its feed.
    public var feedToken = "simfeed"
    /// How often the tokens have been rolled over.
    public private(set) var generation = 1

    public init() {}

    /// From now on other tokens are accepted, and the old ones are not.
    /// - Parameter token: The next access token; without it, the first one with a number behind it.
    mutating func roll(to token: String?) {
        generation += 1
        accessToken = token ?? "\(Self.root(accessToken))-\(generation)"
        feedToken = "\(Self.root(feedToken))-\(generation)"
    }

    private static func root(_ token: String) -> Substring { token.prefix { $0 != "-" } }
}
