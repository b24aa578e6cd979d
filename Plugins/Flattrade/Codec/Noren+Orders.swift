import AdapterKit

// Order updates.
extension Noren {
    func takeOrder(_ frame: Frame) {
        guard wantsOrders else { return host.count(.framesIgnored) }
        guard let update = OrderMessage(frame.bytes)?.update else { return undecodable(frame) }
        publish(update)
    }
}

/// An `om` message (Flattrade Pi and Noren API documentation, "Order Update subscription").
struct OrderMessage {
    private var texts: [String: String] = [:]
    private static let wanted: Set<String> = [
        "norenordno", "exch", "tsym", "token", "qty", "prc", "pcode", "prd", "status", "reporttype", "trantype",
        "prctyp", "fillshares", "avgprc", "rejreason", "trgprc", "exch_tm", "fltm",
    ]

    /// Reads a message; `nil` if it is no JSON object.
    init?(_ bytes: Bytes) {
        var json = JSONScanner(bytes)
        guard json.enterObject() else { return nil }
        while let key = json.nextKey() {
            let name = String(key)
            guard Self.wanted.contains(name), let value = json.skipValue() else {
                json.skipValue()
                continue
            }
            let text = JSONText(value).content
            texts[name] = text.isPlaceholder ? nil : JSONText.unescaped(text)
        }
        guard json.isFinished else { return nil }
    }

    /// The update; `nil` without an order number or a status.
    var update: OrderUpdate? {
        guard let orderID = texts["norenordno"], let state else { return nil }
        let decimals = ["prc", "trgprc", "avgprc"].map { places(of: texts[$0]) }.max() ?? 0
        var update = OrderUpdate(orderID: orderID, state: state, priceExponent: -Int8(min(max(2, decimals), 8)))
        update.brokerExchange = texts["exch"] ?? ""
        update.brokerSymbol = texts["tsym"] ?? ""
        update.brokerToken = texts["token"] ?? ""
        update.action = texts["trantype"].flatMap { Self.actions[$0.uppercased()] }
        update.priceType = texts["prctyp"].flatMap { Self.priceTypes[$0.uppercased()] }
        // Flattrade says pcode where the others say prd.
        let product = texts["pcode"] ?? texts["prd"] ?? ""
        update.product = Self.products[product.uppercased()] ?? product
        if state == .rejected { update.reason = texts["rejreason"] ?? "" }
        update.quantity = units("qty")
        // Left out until something has traded.
        update.filled = units("fillshares") ?? (state == .complete ? update.quantity : 0)
        if let quantity = update.quantity, let filled = update.filled { update.pending = max(0, quantity - filled) }
        update.price = number("prc", update.priceExponent)
        update.trigger = number("trgprc", update.priceExponent)
        update.average = number("avgprc", update.priceExponent)
        update.exchangeTime = time("exch_tm") ?? time("fltm")
        return update
    }

    /// The status decides, not the report type: a report of a fill may be of a part.
    private var state: OrderUpdate.State? {
        guard let status = texts["status"]?.uppercased() else { return nil }
        if status.contains("TRIGGER") { return .triggerPending }
        // A cancellation or change that is asked for has not happened yet.
        if status.contains("PENDING") { return .open }
        if status.contains("COMPLETE") { return .complete }
        if status.contains("REJECT") || status == "INVALID_STATUS_TYPE" { return .rejected }
        if status.contains("CANCEL") { return .cancelled }
        if status.contains("EXPIRE") { return .expired }
        return .open
    }

    private static let actions: [String: OrderUpdate.Action] = ["B": .buy, "S": .sell]
    private static let priceTypes: [String: OrderUpdate.PriceType] = [
        "MKT": .market, "LMT": .limit, "SL-LMT": .stopLimit, "SL-MKT": .stopMarket,
    ]
    private static let products = ["C": "CNC", "M": "NRML", "I": "MIS"]

    private func number(_ name: String, _ exponent: Int8) -> Int64? {
        guard var text = texts[name] else { return nil }
        return text.withUTF8 { DecimalText.mantissa(of: Bytes($0), exponent: Int(exponent)) }
    }

    private func units(_ name: String) -> Int64? {
        number(name, 0).flatMap { $0 < 0 ? nil : $0 }
    }

    private func time(_ name: String) -> UInt64? {
        guard var text = texts[name] else { return nil }
        return text.withUTF8 {
            let bytes = Bytes($0)
            return IndianTime.nanoseconds(bytes, as: .dayFirst) ?? IndianTime.nanoseconds(bytes, as: .timeFirst)
        }
    }

    private func places(of text: String?) -> Int {
        guard let text, let point = text.firstIndex(of: ".") else { return 0 }
        var decimals = text[text.index(after: point)...]
        while decimals.last == "0" { decimals.removeLast() }
        return decimals.utf8.count
    }
}
