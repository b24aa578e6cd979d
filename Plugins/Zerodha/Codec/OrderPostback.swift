import AdapterKit

/// The order updates that come as `{"type":"order","data":{…}}` (Kite Connect docs, "Postbacks" and "Order updates").
enum OrderPostback {
    /// Room for seven decimals of a currency's price, and for one digit of an average.
    static let priceExponent: Int8 = -8

    /// The update in the object `data`; `nil` if it is no object, or has no order number or no status.
    static func update(_ data: Bytes) -> OrderUpdate? {
        var json = JSONScanner(data)
        guard json.enterObject() else { return nil }
        var update = OrderUpdate(orderID: "", state: .open, priceExponent: priceExponent)
        var status = ""
        var reason = ""
        var unfilled: Int64?
        var times = Times()
        while let key = json.nextKey() {
            guard let text = json.skipValue() else { return nil }
            let value = JSONText(text)
            if key == "order_id" {
                update.orderID = value.line
            } else if key == "status" {
                status = value.line
            } else if key == "status_message" {
                reason = value.line
            } else if key == "exchange" {
                update.brokerExchange = value.line
            } else if key == "tradingsymbol" {
                update.brokerSymbol = value.line
            } else if key == "instrument_token" {
                update.brokerToken = value.line
            } else if key == "transaction_type" {
                update.action = OrderUpdate.Action(rawValue: value.line.uppercased())
            } else if key == "order_type" {
                update.priceType = OrderUpdate.PriceType(rawValue: value.line.uppercased())
            } else if key == "product" {
                update.product = value.line
            } else if key == "quantity" {
                update.quantity = DecimalText.rounded(value.content, exponent: 0)
            } else if key == "filled_quantity" {
                update.filled = DecimalText.rounded(value.content, exponent: 0)
            } else if key == "pending_quantity" {
                update.pending = DecimalText.rounded(value.content, exponent: 0)
            } else if key == "unfilled_quantity" {
                unfilled = DecimalText.rounded(value.content, exponent: 0)
            } else if key == "price" {
                update.price = DecimalText.rounded(value.content, exponent: Int(priceExponent))
            } else if key == "trigger_price" {
                update.trigger = DecimalText.rounded(value.content, exponent: Int(priceExponent))
            } else if key == "average_price" {
                update.average = DecimalText.rounded(value.content, exponent: Int(priceExponent))
            } else {
                times.take(key, value)
            }
        }
        guard json.isFinished, !update.orderID.isEmpty, !status.isEmpty else { return nil }
        update.state = state(status)
        if update.state == .rejected { update.reason = reason }
        update.pending = update.pending ?? unfilled
        update.exchangeTime = times.newest
        return update
    }

    /// The states on the way into the book, and modified or partly filled orders (`UPDATE`), are open.
    private static func state(_ status: String) -> OrderUpdate.State {
        switch status.uppercased() {
        case "COMPLETE": .complete
        case "REJECTED": .rejected
        case "CANCELLED", "CANCELLED AMO": .cancelled
        case "TRIGGER PENDING": .triggerPending
        default: .open
        }
    }

    /// When an order changed, by the best of three clocks.
    private struct Times {
        private var updated: UInt64?
        private var exchange: UInt64?
        private var order: UInt64?

        mutating func take(_ key: Bytes, _ value: JSONText) {
            if key == "exchange_update_timestamp" {
                updated = IndianTime.nanoseconds(value.content, as: .iso)
            } else if key == "exchange_timestamp" {
                exchange = IndianTime.nanoseconds(value.content, as: .iso)
            } else if key == "order_timestamp" {
                order = IndianTime.nanoseconds(value.content, as: .iso)
            }
        }

        /// An order that has not reached the exchange has the broker's time only.
        var newest: UInt64? { updated ?? exchange ?? order }
    }
}
