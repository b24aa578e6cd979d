/// What `orderData` says of an order, each field as its text. Prices are rupees.
struct AngelOrderFields {
    var id = ""
    var tag = ""
    var symbol = ""
    var token = ""
    var exchange = ""
    var side = ""
    var type = ""
    var product = ""
    var variety = ""
    var duration = ""
    var instrumentType = ""
    var optionType = ""
    /// `28MAR2024`
    var expiry = ""
    var strike = "0.0"
    var lotSize = ""
    var price = "0.0"
    var triggerPrice = "0.0"
    var averagePrice = "0.0"
    var quantity = ""
    var disclosedQuantity = ""
    var filled = ""
    var unfilled = ""
    var cancelled = ""
    var reason = ""
    /// `25-Oct-2023 23:53:21`
    var updated = ""
    var fillID = ""
    var fillTime = ""

    /// Those of the acknowledgement: all there, none filled in.
    init() {}

    init(_ order: SimulatedOrder, on instrument: SimulatedInstrument, _ listing: AngelListing, isOnIndex: Bool) {
        let exponent = instrument.segment.priceExponent
        func rupees(_ mantissa: Int64) -> String { DecimalText.fixed(mantissa, exponent: exponent) }
        id = order.id
        tag = order.tag
        symbol = listing.symbol
        token = listing.key.token
        exchange = instrument.segment.exchange
        side = order.isBuy ? "BUY" : "SELL"
        type = Self.type(order.kind)
        product = Self.product(order.product)
        variety =
            order.isAfterMarket ? "AMO" : order.kind == .stopLimit || order.kind == .stopMarket ? "STOPLOSS" : "NORMAL"
        duration = "DAY"
        instrumentType = AngelMaster.type(of: instrument, isOnIndex: isOnIndex)
        if case .option(_, _, let right) = instrument.contract { optionType = right.rawValue }
        expiry = instrument.expiry.map { "\($0.twoDigitDay)\($0.monthName)\($0.year)" } ?? ""
        strike = instrument.strike.map(rupees) ?? "-1"
        lotSize = String(instrument.lotSize)
        price = rupees(order.price)
        triggerPrice = rupees(order.triggerPrice)
        averagePrice = rupees(order.averagePrice)
        quantity = String(order.quantity)
        disclosedQuantity = "0"
        filled = String(order.filledQuantity)
        unfilled = String(order.quantity - order.filledQuantity - order.cancelledQuantity)
        cancelled = String(order.cancelledQuantity)
        reason = order.message
        updated = IndianTime(order.time).namedMonth
        if order.fillQuantity > 0 {
            fillID = "\(order.exchangeID)\(order.filledQuantity)"
            fillTime = IndianTime(order.time).clock
        }
    }

    private static func type(_ kind: SimulatedOrder.Kind) -> String {
        switch kind {
        case .market: "MARKET"
        case .limit: "LIMIT"
        case .stopLimit: "STOPLOSS_LIMIT"
        case .stopMarket: "STOPLOSS_MARKET"
        }
    }

    private static func product(_ product: SimulatedOrder.Product) -> String {
        switch product {
        case .delivery: "DELIVERY"
        case .carryForward: "CARRYFORWARD"
        case .intraday: "INTRADAY"
        }
    }
}
