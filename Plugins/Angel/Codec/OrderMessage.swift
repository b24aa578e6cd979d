import AdapterKit

/// A message of the order status socket (SmartAPI documentation, "WebSocket Order Status"). Borrowed.
///
/// Numbers come as numbers, as text and as empty text, and keys in any order, so everything is taken as it is written and
/// read by what it is for.
struct OrderMessage {
    private(set) var statusCode = Bytes.empty
    /// `AB01` and so on.
    private(set) var status = Bytes.empty
    private(set) var fault = Bytes.empty
    private var order: [OrderMember: Bytes] = [:]

    /// Nil if the text is none of these messages.
    init?(_ bytes: Bytes) {
        var json = JSONScanner(bytes)
        guard json.enterObject() else { return nil }
        var isKnown = false
        while let key = json.nextKey() {
            let value = json.skipValue()
            if key == "status-code" {
                statusCode = JSONText(value).content
            } else if key == "order-status" {
                status = JSONText(value).content
                isKnown = true
            } else if key == "error-message" {
                fault = JSONText(value).content.slice(from: 0, to: 200)
                isKnown = true
            } else if key == "orderData", let value {
                order = OrderMember.all(in: value)
                isKnown = true
            }
        }
        guard json.isFinished, isKnown else { return nil }
    }

    /// The broker's refusal inside the socket: a token that is invalid (401) or has expired (403).
    var refusal: DisconnectReason? {
        if statusCode == "401" { return .authenticationRejected }
        return statusCode == "403" ? .authenticationExpired : nil
    }

    /// The first message, and whatever else has no order in it.
    var isGreeting: Bool { status == "AB00" || text(.orderID).isEmpty }

    /// Nil if the status is unknown: a guess would tell a trader of an order that may not stand.
    var update: OrderUpdate? {
        guard let state = Self.state(code: status) ?? state(text: .orderStatus) ?? state(text: .status)
        else { return nil }
        var update = OrderUpdate(orderID: text(.orderID), state: state, priceExponent: -8)
        update.brokerExchange = text(.exchange)
        update.brokerSymbol = text(.symbol)
        update.brokerToken = text(.token)
        update.action = OrderUpdate.Action(rawValue: text(.action).uppercased())
        update.priceType = Self.priceType(text(.type))
        update.product = Self.product(text(.product))
        if state == .rejected { update.reason = text(.reason) }
        update.filled = count(.filled)
        update.pending = count(.unfilled)
        update.quantity = count(.quantity)
        update.price = price(.price)
        update.trigger = price(.trigger)
        update.average = price(.average)
        update.exchangeTime = time(.updated) ?? time(.exchangeUpdated) ?? time(.exchangeTime)
        return update
    }

    private static func state(code: Bytes) -> OrderUpdate.State? {
        guard code.count == 4, code.slice(from: 0, to: 2) == "AB" else { return nil }
        switch DecimalText.mantissa(of: code.slice(from: 2), exponent: 0) {
        // Open, modified, after-market request received, its modification, open pending, modification pending.
        case 1, 4, 6, 8, 9, 11: return .open
        case 2, 7: return .cancelled
        case 3: return .rejected
        case 5: return .complete
        case 10: return .triggerPending
        default: return nil
        }
    }

    /// For messages without a code that is known.
    private func state(text member: OrderMember) -> OrderUpdate.State? {
        switch text(member).lowercased() {
        case "open", "pending", "open pending", "modified", "modify pending", "put order req received",
            "validation pending", "after market order req received", "modify after market order req received":
            .open
        case "cancelled", "cancelled after market order": .cancelled
        case "rejected": .rejected
        case "complete", "executed": .complete
        case "trigger pending": .triggerPending
        default: nil
        }
    }

    private static func priceType(_ word: String) -> OrderUpdate.PriceType? {
        switch word.uppercased() {
        case "MARKET": .market
        case "LIMIT": .limit
        case "STOPLOSS_LIMIT": .stopLimit
        case "STOPLOSS_MARKET": .stopMarket
        default: nil
        }
    }

    private static func product(_ word: String) -> String {
        switch word.uppercased() {
        case "DELIVERY": "CNC"
        case "INTRADAY": "MIS"
        case "CARRYFORWARD": "NRML"
        default: word
        }
    }

    private func text(_ member: OrderMember) -> String { JSONText.unescaped(order[member] ?? .empty) }

    private func time(_ member: OrderMember) -> UInt64? {
        IndianTime.nanoseconds(order[member] ?? .empty, as: .namedMonth)
    }

    private func count(_ member: OrderMember) -> Int64? {
        guard let value = DecimalText.mantissa(of: order[member] ?? .empty, exponent: 0), value >= 0 else { return nil }
        return value
    }

    /// A price in rupees at exponent −8. An average may have more decimals than that; they are cut off.
    private func price(_ member: OrderMember) -> Int64? {
        DecimalText.truncated(order[member] ?? .empty, exponent: -8)
    }
}

/// The members of `orderData` that are used, by their names.
enum OrderMember: String {
    case orderID = "orderid"
    case symbol = "tradingsymbol"
    case exchange
    case token = "symboltoken"
    case action = "transactiontype"
    case type = "ordertype"
    case product = "producttype"
    case quantity
    case filled = "filledshares"
    case unfilled = "unfilledshares"
    case price
    case trigger = "triggerprice"
    case average = "averageprice"
    case reason = "text"
    case status
    case orderStatus = "orderstatus"
    case updated = "updatetime"
    case exchangeTime = "exchtime"
    case exchangeUpdated = "exchorderupdatetime"

    /// The members of an object whose syntax has been checked, as they are written; anything else, such as `null`, has none.
    static func all(in object: Bytes) -> [OrderMember: Bytes] {
        var members: [OrderMember: Bytes] = [:]
        var json = JSONScanner(object)
        guard json.enterObject() else { return members }
        while let key = json.nextKey() {
            let value = JSONText(json.skipValue()).content
            if let member = OrderMember(rawValue: String(key)) { members[member] = value }
        }
        return members
    }
}
