/// What an order update is about, beside its JSON: whoever passes it on reads this and not the message.
public struct OrderHeader: Sendable, Hashable {
    /// Whose order it is.
    public let user: String
    /// The name that clients see; nil when the update does not say.
    public let broker: String?
    /// OpenAlgo's names, or the broker's own where OpenAlgo's are not known; nil when the update does not say.
    public let instrument: Instrument?

    public init(user: String, broker: String?, instrument: Instrument?) {
        self.user = user
        self.broker = broker
        self.instrument = instrument
    }

    /// Of an update from outside, whose writer says nothing but the message.
    /// - Parameters:
    ///   - user: Whose it is.
    ///   - json: One JSON object (``JSONCheck/isObject(_:)``).
    public init(user: String, reading json: UnsafeRawBufferPointer) {
        self.user = user
        broker = JSONCheck.text(of: "broker", in: json)
        instrument =
            if let exchange = JSONCheck.text(of: "exchange", in: json),
                let symbol = JSONCheck.text(of: "symbol", in: json)
            { Instrument(exchange: exchange, symbol: symbol) } else { nil }
    }
}
