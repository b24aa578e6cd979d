/// How a simulator of the Noren family differs from its defaults.
public struct NorenOptions: Sendable {
    /// The words that a login has to use. With the old ones the path of the generation before is open, too.
    public var generation = NorenGeneration.new
    /// `s` of an accepted login. Documents print `Ok`; the official clients take nothing but `OK`.
    public var acceptance = "OK"
    /// Between a second login and the end of the first session, ms.
    public var evictionMilliseconds: Int64 = 150
    /// After a session has ended in another way than by eviction, its token is refused for so long, ms.
    public var cooldownMilliseconds: Int64 = 0
    /// Silence, in ms, after which a connection is closed. The brokers do not say how long theirs is.
    public var silenceMilliseconds: Int64 = 75_000
    /// Whether a heartbeat is answered with a bare `h` instead of `hk` and the time.
    public var answersHeartbeatsBarely = false

    public init() {}
}

extension VenueKind {
    public static let flattrade = noren(.flattrade)
    public static let shoonya = noren(.shoonya)
    public static let zebu = noren(.zebu)
    public static let tradesmart = noren(.tradesmart)

    /// A broker of the Noren family, with habits of its own.
    public static func noren(_ broker: NorenBroker, _ options: NorenOptions = NorenOptions()) -> VenueKind {
        VenueKind(
            broker.name, options: options,
            settings: [
                .choice("generation", \.generation, [("new", .new), ("old", .old)]),
                .milliseconds("cooldown-ms", \.cooldownMilliseconds),
                .milliseconds("eviction-ms", \.evictionMilliseconds),
                .milliseconds("silence-ms", \.silenceMilliseconds),
            ]
        ) { NorenVenue($0, broker: broker, options: $1) }
    }
}
