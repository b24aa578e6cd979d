/// The `order-status` codes of the order socket.
enum AngelOrderStatus: String, CaseIterable, Sendable {
    case connected = "AB00"
    case open = "AB01"
    case cancelled = "AB02"
    case rejected = "AB03"
    case modified = "AB04"
    case complete = "AB05"
    case afterMarketReceived = "AB06"
    case afterMarketCancelled = "AB07"
    case afterMarketModifyReceived = "AB08"
    case openPending = "AB09"
    case triggerPending = "AB10"
    case modifyPending = "AB11"

    /// Nil for stages that are not told. A part of a fill leaves the order open.
    init?(_ order: SimulatedOrder) {
        switch order.stage {
        case .received, .validationPending, .cancelPending: return nil
        case .afterMarketReceived: self = .afterMarketReceived
        case .afterMarketModified: self = .afterMarketModifyReceived
        case .openPending: self = .openPending
        case .open, .partlyFilled: self = .open
        case .triggerPending: self = .triggerPending
        case .modifyPending: self = .modifyPending
        case .modified: self = .modified
        case .complete: self = .complete
        case .rejected: self = .rejected
        // Before the morning, when the exchange has not heard of it.
        case .cancelled: self = order.isAfterMarket && order.exchangeID.isEmpty ? .afterMarketCancelled : .cancelled
        }
    }

    /// What `status` and `orderstatus` inside `orderData` say.
    var text: String {
        switch self {
        case .connected: ""
        case .open: "open"
        case .cancelled: "cancelled"
        case .rejected: "rejected"
        case .modified: "modified"
        case .complete: "complete"
        case .afterMarketReceived: "after market order req received"
        case .afterMarketCancelled: "cancelled after market order"
        case .afterMarketModifyReceived: "modify after market order req received"
        case .openPending: "open pending"
        case .triggerPending: "trigger pending"
        case .modifyPending: "modify pending"
        }
    }
}
