/// Order and position updates.
///
/// Source: Flattrade's Pi documentation of order updates; Shoonya's for what differs.
enum NorenOrderMessage {
    /// What `status` and `reporttype` say; nil for stages that are not told. "Fill" comes with parts, too.
    static func words(_ stage: SimulatedOrder.Stage) -> (status: String, report: String)? {
        switch stage {
        case .received, .afterMarketReceived: ("PENDING", "NewAck")
        case .validationPending: ("PENDING", "PendingNew")
        case .openPending: ("NEW", "New")
        case .open: ("OPEN", "New")
        case .triggerPending: ("TRIGGER_PENDING", "New")
        case .modifyPending, .afterMarketModified: ("PENDING", "ReplaceAck")
        case .modified: ("REPLACED", "Replaced")
        case .partlyFilled: ("OPEN", "Fill")
        case .cancelPending: nil
        case .complete: ("COMPLETE", "Fill")
        case .rejected: ("REJECTED", "Rejected")
        case .cancelled: ("CANCELED", "Canceled")
        }
    }

    /// `om`; nil for stages that are not told.
    static func order(
        _ order: SimulatedOrder, of listing: NorenListing, broker: NorenBroker, user: String
    ) -> String? {
        guard let words = words(order.stage) else { return nil }
        func rupees(_ mantissa: Int64) -> String {
            DecimalText.fixed(mantissa, exponent: -Int8(clamping: listing.precision))
        }
        let time = IndianTime(order.time)
        var members: [(String, String)] = [
            ("t", "om"), ("norenordno", order.id), ("uid", user), ("actid", user), ("exch", listing.scrip.exchange),
            ("tsym", listing.symbol), ("qty", String(order.quantity)), ("prc", rupees(order.price)),
            (broker.productKey, product(order.product)), ("status", words.status), ("reporttype", words.report),
            ("trantype", order.isBuy ? "B" : "S"), ("prctyp", type(order.kind)), ("ret", "DAY"),
            ("fillshares", String(order.filledQuantity)), ("avgprc", rupees(order.averagePrice)),
        ]
        if order.fillQuantity > 0 {
            members += [
                ("fltm", time.numbered), ("flid", "\(order.exchangeID)\(order.filledQuantity)"),
                ("flqty", String(order.fillQuantity)), ("flprc", rupees(order.fillPrice)),
            ]
        }
        if !order.message.isEmpty { members += [("rejreason", order.message), ("rejby", "RMS")] }
        if !order.exchangeID.isEmpty { members.append(("exchordid", order.exchangeID)) }
        if order.cancelledQuantity > 0 { members.append(("cancelqty", String(order.cancelledQuantity))) }
        if !order.tag.isEmpty { members.append(("remarks", order.tag)) }
        if order.isAfterMarket { members.append(("amo", "Yes")) }
        members.append(("dscqty", "0"))
        if order.triggerPrice > 0 { members.append(("trgprc", rupees(order.triggerPrice))) }
        members += [
            ("exch_tm", time.numbered), ("tm", String(order.time / 1_000_000_000)),
            ("ntm", String(order.time)), ("kidid", "1"),
        ]
        return JSONText.object(members.map { ($0.0, .text($0.1)) })
    }

    /// `pm`: what an account holds of a scrip after a fill.
    static func position(
        _ order: SimulatedOrder, of listing: NorenListing, net: Int64, broker: NorenBroker, user: String
    ) -> String {
        let price = DecimalText.fixed(order.averagePrice, exponent: -Int8(clamping: listing.precision))
        return JSONText.object([
            ("t", .text("pm")), ("uid", .text(user)), ("actid", .text(user)), ("exch", .text(listing.scrip.exchange)),
            ("tsym", .text(listing.symbol)), ("token", .text(listing.scrip.token)),
            (broker.productKey, .text(product(order.product))), ("netqty", .text(String(net))),
            ("netavgprc", .text(price)),
        ])
    }

    private static func type(_ kind: SimulatedOrder.Kind) -> String {
        switch kind {
        case .market: "MKT"
        case .limit: "LMT"
        case .stopLimit: "SL-LMT"
        case .stopMarket: "SL-MKT"
        }
    }

    private static func product(_ product: SimulatedOrder.Product) -> String {
        switch product {
        case .delivery: "C"
        case .carryForward: "M"
        case .intraday: "I"
        }
    }
}
