import CFeedhostABI
import MarketData
import Secrets

/// `fh_order`, copied: an update whose instrument is still in the broker's own terms.
package struct OrderReport: Sendable {
    package let brokerExchange: String
    package let brokerSymbol: String
    package let brokerToken: String
    package let update: OrderUpdate

    /// Bytes of `fh_order` in ABI 1.0.
    static let firstSize = 216

    /// - Parameters:
    ///   - order: Of an adapter; nothing behind its `size` is read.
    ///   - secrets: Taken out of its reason, the one text in it that is free.
    /// - Returns: Nil when it is no order: without number or status, or with impossible exponents.
    init?(_ order: UnsafePointer<fh_order>, without secrets: Redaction) {
        guard Int(order.pointee.size) >= OrderReport.firstSize else { return nil }
        let order = order.pointee
        let (id, status) = (order.order_id.line, order.status.line)
        guard !id.isEmpty, !status.isEmpty, (-18...0).contains(order.price_exp), (-18...0).contains(order.qty_exp)
        else { return nil }
        func known(_ bit: Int, _ value: Int64) -> Int64? { order.known & UInt32(bit) != 0 ? value : nil }
        brokerExchange = order.broker_exchange.line
        brokerSymbol = order.broker_symbol.line
        brokerToken = order.broker_token.line
        var update = OrderUpdate(orderID: id, status: status)
        update.action = order.action.line
        update.priceType = order.price_type.line
        update.product = order.product.line
        update.reason = order.reason.line(without: secrets)
        update.priceExponent = order.price_exp
        update.quantityExponent = order.qty_exp
        update.quantity = known(FH_O_QUANTITY, order.quantity)
        update.filled = known(FH_O_FILLED, order.filled)
        update.pending = known(FH_O_PENDING, order.pending)
        update.price = known(FH_O_PRICE, order.price)
        update.trigger = known(FH_O_TRIGGER, order.trigger)
        update.average = known(FH_O_AVERAGE, order.average)
        // A number that is told as 0 later is no news to clients, who have had that 0 already.
        self.update = update.completed()
    }
}
