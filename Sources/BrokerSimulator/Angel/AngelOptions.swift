/// How Angel One's simulator differs from its defaults.
public struct AngelOptions: Sendable {
    /// Whether a wrong API key is refused. Angel One wants one to be there and does not look at it closely.
    public var checksAPIKey = false
    /// Silence, in ms, after which a connection is closed: 30 s as documented, and some grace.
    public var silenceMilliseconds: Int64 = 35_000
    /// Whether updates of orders are binary frames, as some clients get them; the text is the same.
    public var sendsOrdersAsBinary = false

    public init() {}
}

extension VenueKind {
    /// Angel One, SmartAPI WebSocket 2.0.
    public static let angel = angel(AngelOptions())

    /// Angel One with other habits.
    public static func angel(_ options: AngelOptions) -> VenueKind {
        VenueKind(
            "angel", options: options,
            settings: [
                .choice("strict-api-key", \.checksAPIKey, [("true", true), ("false", false)]),
                .milliseconds("silence-ms", \.silenceMilliseconds),
                .choice("order-frames", \.sendsOrdersAsBinary, [("text", false), ("binary", true)]),
            ]
        ) { AngelVenue($0, options: $1) }
    }
}
