import Foundation
import NIOCore

/// An order postback as it comes through the socket: `{"type":"order","data":{…}}` (Kite Connect docs, "Postbacks").
enum KiteOrder {
    private struct Frame: Encodable {
        let type = "order"
        var data: Postback
    }

    private struct Postback: Encodable {
        var userID: String
        var unfilledQuantity: Int64
        let appID = 1
        var checksum: String
        var placedBy: String
        var orderID: String
        var exchangeOrderID: Nullable<String>
        let parentOrderID = Nullable<String>.null
        var status: String
        var statusMessage: Nullable<String>
        var statusMessageRaw: Nullable<String>
        var orderTimestamp: String
        var exchangeUpdateTimestamp: Nullable<String>
        var exchangeTimestamp: Nullable<String>
        var variety: String
        var exchange: String
        var tradingsymbol: String
        var instrumentToken: UInt32
        var orderType: String
        var transactionType: String
        let validity = "DAY"
        var product: String
        var quantity: Int64
        let disclosedQuantity = 0
        var price: Decimal
        var triggerPrice: Decimal
        var averagePrice: Decimal
        var filledQuantity: Int64
        var pendingQuantity: Int64
        var cancelledQuantity: Int64
        let marketProtection = 0
        let meta: [String: String] = [:]
        var tag: Nullable<String>
        var guid: String

        enum CodingKeys: String, CodingKey {
            case checksum, status, variety, exchange, tradingsymbol, validity, product, quantity, price, meta, tag, guid
            case userID = "user_id"
            case unfilledQuantity = "unfilled_quantity"
            case appID = "app_id"
            case placedBy = "placed_by"
            case orderID = "order_id"
            case exchangeOrderID = "exchange_order_id"
            case parentOrderID = "parent_order_id"
            case statusMessage = "status_message"
            case statusMessageRaw = "status_message_raw"
            case orderTimestamp = "order_timestamp"
            case exchangeUpdateTimestamp = "exchange_update_timestamp"
            case exchangeTimestamp = "exchange_timestamp"
            case instrumentToken = "instrument_token"
            case orderType = "order_type"
            case transactionType = "transaction_type"
            case disclosedQuantity = "disclosed_quantity"
            case triggerPrice = "trigger_price"
            case averagePrice = "average_price"
            case filledQuantity = "filled_quantity"
            case pendingQuantity = "pending_quantity"
            case cancelledQuantity = "cancelled_quantity"
            case marketProtection = "market_protection"
        }
    }

    /// The text frame.
    /// - Parameter exponent: Of the order's mantissas.
    static func frame(
        _ order: SimulatedOrder, of listing: KiteListing, exponent: Int8, user: String, secret: String
    ) -> String {
        func price(_ mantissa: Int64) -> Decimal {
            Decimal(
                sign: mantissa < 0 ? .minus : .plus, exponent: Int(exponent), significand: Decimal(mantissa.magnitude))
        }
        let time = timestamp(order.time)
        let reached = Nullable(order.exchangeID.isEmpty ? nil : time)
        let message = Nullable(order.message.isEmpty ? nil : order.message)
        let postback = Postback(
            userID: user, unfilledQuantity: order.stage == .cancelled ? order.cancelledQuantity : order.pendingQuantity,
            checksum: SHA256Text.of(order.id + time + secret), placedBy: user, orderID: order.id,
            exchangeOrderID: Nullable(order.exchangeID.isEmpty ? nil : order.exchangeID), status: status(order.stage),
            statusMessage: message, statusMessageRaw: message, orderTimestamp: time, exchangeUpdateTimestamp: reached,
            exchangeTimestamp: reached, variety: order.isAfterMarket ? "amo" : "regular", exchange: listing.exchange,
            tradingsymbol: listing.symbol, instrumentToken: listing.token,
            orderType: order.kind.rawValue, transactionType: order.isBuy ? "BUY" : "SELL",
            product: order.product.rawValue, quantity: order.quantity, price: price(order.price),
            triggerPrice: price(order.triggerPrice), averagePrice: price(order.averagePrice),
            filledQuantity: order.filledQuantity, pendingQuantity: order.pendingQuantity,
            cancelledQuantity: order.cancelledQuantity, tag: Nullable(order.tag.isEmpty ? nil : order.tag),
            guid: "01X\(order.id)")
        return String(buffer: JSONBytes.of(Frame(data: postback)))
    }

    private static func status(_ stage: SimulatedOrder.Stage) -> String {
        switch stage {
        case .received: "PUT ORDER REQ RECEIVED"
        case .afterMarketReceived, .afterMarketModified: "AMO REQ RECEIVED"
        case .validationPending: "VALIDATION PENDING"
        case .openPending: "OPEN PENDING"
        case .open: "OPEN"
        case .triggerPending: "TRIGGER PENDING"
        case .modifyPending: "MODIFY PENDING"
        case .modified, .partlyFilled: "UPDATE"
        case .cancelPending: "CANCEL PENDING"
        case .complete: "COMPLETE"
        case .rejected: "REJECTED"
        case .cancelled: "CANCELLED"
        }
    }

    /// `2026-11-23 09:15:00` in India, without a zone, as Kite writes it.
    static func timestamp(_ nanoseconds: UInt64) -> String {
        let time = IndianTime(nanoseconds)
        return "\(time.day.year)-\(time.day.twoDigitMonth)-\(time.day.twoDigitDay) \(time.clock)"
    }
}
