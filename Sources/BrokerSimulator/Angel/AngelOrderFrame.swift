/// Frames of the order socket: an envelope with hyphens in its names, numbers and numeric strings mixed inside.
///
/// Source: Angel One's SmartAPI documentation of the order status WebSocket.
enum AngelOrderFrame {
    /// What the venue sends first: every field of the order is there, and empty or zero.
    static func connected(user: String) -> String {
        envelope(.connected, user: user, data: data(AngelOrderFields(), status: .connected))
    }

    /// The JSON text of one update.
    static func text(
        _ order: SimulatedOrder, on instrument: SimulatedInstrument, _ listing: AngelListing, isOnIndex: Bool,
        status: AngelOrderStatus, user: String
    ) -> String {
        let fields = AngelOrderFields(order, on: instrument, listing, isOnIndex: isOnIndex)
        return envelope(status, user: user, data: data(fields, status: status))
    }

    private static func envelope(_ status: AngelOrderStatus, user: String, data: String) -> String {
        JSONText.object([
            ("user-id", .text(user)),
            ("status-code", .text("200")),
            ("order-status", .text(status.rawValue)),
            ("error-message", .text("")),
            ("orderData", .raw(data)),
        ])
    }

    private static func data(_ order: AngelOrderFields, status: AngelOrderStatus) -> String {
        JSONText.object([
            ("variety", .text(order.variety)),
            ("ordertype", .text(order.type)),
            ("ordertag", .text(order.tag)),
            ("producttype", .text(order.product)),
            ("price", .raw(order.price)),
            ("triggerprice", .raw(order.triggerPrice)),
            ("quantity", .text(order.quantity)),
            ("disclosedquantity", .text(order.disclosedQuantity)),
            ("duration", .text(order.duration)),
            ("squareoff", .raw("0.0")),
            ("stoploss", .raw("0.0")),
            ("trailingstoploss", .raw("0.0")),
            ("tradingsymbol", .text(order.symbol)),
            ("transactiontype", .text(order.side)),
            ("exchange", .text(order.exchange)),
            ("symboltoken", .text(order.token)),
            ("instrumenttype", .text(order.instrumentType)),
            ("strikeprice", .raw(order.strike)),
            ("optiontype", .text(order.optionType)),
            ("expirydate", .text(order.expiry)),
            ("lotsize", .text(order.lotSize)),
            ("cancelsize", .text(order.cancelled)),
            ("averageprice", .raw(order.averagePrice)),
            ("filledshares", .text(order.filled)),
            ("unfilledshares", .text(order.unfilled)),
            ("orderid", .text(order.id)),
            ("text", .text(order.reason)),
            ("status", .text(status.text)),
            ("orderstatus", .text(status.text)),
            ("updatetime", .text(order.updated)),
            ("exchtime", .text(order.updated)),
            ("exchorderupdatetime", .text(order.updated)),
            ("fillid", .text(order.fillID)),
            ("filltime", .text(order.fillTime)),
            ("parentorderid", .text("")),
        ])
    }
}
