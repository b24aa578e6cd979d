/// How one order stands, as clients are told: the `order_update` of the client protocol.
public struct OrderUpdate: Sendable, Hashable {
    /// The broker's order number.
    public var orderID: String
    /// OpenAlgo's names; the broker's own where OpenAlgo's are not known.
    public var exchange = ""
    public var symbol = ""
    /// `BUY` or `SELL`.
    public var action = ""
    /// `MARKET`, `LIMIT`, `SL` or `SL-M`.
    public var priceType = ""
    /// `CNC`, `NRML`, `MIS`, or the broker's own word.
    public var product = ""
    /// `open`, `trigger pending`, `complete`, `rejected`, `cancelled` or `expired`.
    public var status: String
    /// Why it was rejected.
    public var reason = ""
    /// Decimal exponent of the prices, -18 to 0.
    public var priceExponent: Int8 = 0
    /// Decimal exponent of the quantities, -18 to 0.
    public var quantityExponent: Int8 = 0
    /// Units ordered, traded so far and still to trade; mantissas, nil = the broker does not say.
    public var quantity, filled, pending: Int64?
    /// Limit, trigger of a stop order, and average of what has traded; mantissas, nil = the broker does not say.
    public var price, trigger, average: Int64?

    public init(orderID: String, status: String) {
        self.orderID = orderID
        self.status = status
    }

    /// The same, with a value for every number. Brokers leave out what an order does not have: no trigger, no limit and
    /// nothing traded yet are 0 to clients. What is still to trade follows from the rest.
    public func completed() -> OrderUpdate {
        var update = self
        update.quantity = quantity ?? 0
        update.filled = filled ?? 0
        update.pending = pending ?? remaining
        update.price = price ?? 0
        update.trigger = trigger ?? 0
        update.average = average ?? 0
        return update
    }

    private var remaining: Int64 {
        guard let quantity else { return 0 }
        let (rest, overflow) = quantity.subtractingReportingOverflow(filled ?? 0)
        return overflow ? 0 : max(0, rest)
    }

    /// Writes the whole message. Prices and quantities are exact decimals. Every key is there in every state, as clients
    /// of OpenAlgo expect: a text that is not known is empty, and numbers are as ``completed()`` has them.
    /// - Parameters:
    ///   - user: Whose order it is.
    ///   - broker: The name that clients see.
    public func write(to json: inout JSONWriter, user: String, broker: String) {
        let update = completed()
        json.raw(#"{"type":"order_update","user_id":"#)
        json.string(user)
        json.raw(#","mode":"live","broker":"#)
        json.string(broker)
        text(#","orderid":"#, orderID, &json)
        text(#","symbol":"#, symbol, &json)
        text(#","exchange":"#, exchange, &json)
        text(#","action":"#, action, &json)
        number(#","quantity":"#, update.quantity, quantityExponent, isWhole: true, &json)
        number(#","price":"#, update.price, priceExponent, isWhole: false, &json)
        number(#","trigger_price":"#, update.trigger, priceExponent, isWhole: false, &json)
        text(#","pricetype":"#, priceType, &json)
        text(#","product":"#, product, &json)
        text(#","order_status":"#, status, &json)
        number(#","filled_quantity":"#, update.filled, quantityExponent, isWhole: true, &json)
        number(#","pending_quantity":"#, update.pending, quantityExponent, isWhole: true, &json)
        number(#","average_price":"#, update.average, priceExponent, isWhole: false, &json)
        json.raw(#","rejection_reason":"#)
        json.string(reason)
        json.raw("}")
    }

    private func text(_ key: StaticString, _ value: String, _ json: inout JSONWriter) {
        json.raw(key)
        json.string(value)
    }

    private func number(
        _ key: StaticString, _ mantissa: Int64?, _ exponent: Int8, isWhole: Bool, _ json: inout JSONWriter
    ) {
        json.raw(key)
        json.decimal(mantissa ?? 0, exponent: exponent, whole: isWhole)
    }
}
