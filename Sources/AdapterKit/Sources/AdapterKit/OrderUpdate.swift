import CFeedhostABI

/// How one order stands, as a broker tells it; the host makes the client protocol's `order_update` of it.
///
/// The instrument is in the broker's own terms: the host finds the OpenAlgo symbol by the token, or else by the broker's
/// symbol. What is not known stays empty or `nil`.
public struct OrderUpdate: Hashable, Sendable {
    /// What the order does.
    public enum Action: String, Sendable {
        /// Buys.
        case buy = "BUY"
        /// Sells.
        case sell = "SELL"
    }

    /// How the price of an order is set.
    public enum PriceType: String, Sendable {
        /// At whatever the market gives.
        case market = "MARKET"
        /// Not worse than ``OrderUpdate/price``.
        case limit = "LIMIT"
        /// A stop with a limit.
        case stopLimit = "SL"
        /// A stop at market price.
        case stopMarket = "SL-M"
    }

    /// Where an order is in its life.
    public enum State: String, Sendable {
        /// In the book or on its way there, partly filled too.
        case open
        /// A stop that waits for its trigger.
        case triggerPending = "trigger pending"
        /// Filled.
        case complete
        /// Refused; ``OrderUpdate/reason`` says why.
        case rejected
        /// Withdrawn.
        case cancelled
        /// Ended with the day.
        case expired
    }

    /// The broker's order number; an update without one is refused.
    public var orderID: String
    /// Where the order is in its life.
    public var state: State
    /// The broker's name of the segment, as in its instrument master.
    public var brokerExchange = ""
    /// The broker's own symbol.
    public var brokerSymbol = ""
    /// The broker's token; empty if the update has none.
    public var brokerToken = ""
    /// What the order does.
    public var action: Action?
    /// How its price is set.
    public var priceType: PriceType?
    /// `CNC`, `NRML` or `MIS`, or the broker's own word for any other.
    public var product = ""
    /// Why it was refused.
    public var reason = ""
    /// The power of ten of all prices.
    public var priceExponent: Int8
    /// The power of ten of all quantities.
    public var quantityExponent: Int8 = 0
    /// Units ordered, mantissa.
    public var quantity: Int64?
    /// Units traded so far, mantissa.
    public var filled: Int64?
    /// Units still to trade, mantissa.
    public var pending: Int64?
    /// Limit, mantissa.
    public var price: Int64?
    /// Trigger of a stop order, mantissa.
    public var trigger: Int64?
    /// Average price of what has traded, mantissa.
    public var average: Int64?
    /// When it changed: nanoseconds since the Unix epoch, UTC.
    public var exchangeTime: UInt64?

    /// An update of which only these are known.
    public init(orderID: String, state: State, priceExponent: Int8) {
        self.orderID = orderID
        self.state = state
        self.priceExponent = priceExponent
    }
}

extension OrderUpdate {
    /// Lends the update as a C record for one call.
    func withRecord<Result>(_ body: (UnsafePointer<fh_order>) -> Result) -> Result {
        var texts = TextArena()
        let places = [
            orderID, brokerExchange, brokerSymbol, brokerToken, action?.rawValue ?? "", priceType?.rawValue ?? "",
            product, state.rawValue, reason,
        ].map { texts.add($0) }
        return texts.withTexts(places) { texts in
            var record = fh_order()
            record.size = UInt32(MemoryLayout<fh_order>.size)
            record.order_id = texts[0]
            record.broker_exchange = texts[1]
            record.broker_symbol = texts[2]
            record.broker_token = texts[3]
            record.action = texts[4]
            record.price_type = texts[5]
            record.product = texts[6]
            record.status = texts[7]
            record.reason = texts[8]
            record.price_exp = priceExponent
            record.qty_exp = quantityExponent
            record.ts_exchange = exchangeTime ?? .max
            record.known =
                Self.set(quantity, &record.quantity, FH_O_QUANTITY) | Self.set(filled, &record.filled, FH_O_FILLED)
                | Self.set(pending, &record.pending, FH_O_PENDING) | Self.set(price, &record.price, FH_O_PRICE)
                | Self.set(trigger, &record.trigger, FH_O_TRIGGER) | Self.set(average, &record.average, FH_O_AVERAGE)
            return body(&record)
        }
    }

    /// The bit, if there is a value.
    private static func set(_ value: Int64?, _ slot: inout Int64, _ bit: Int) -> UInt32 {
        guard let value else { return 0 }
        slot = value
        return UInt32(truncatingIfNeeded: bit)
    }
}
