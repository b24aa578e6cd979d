/// An order at one moment of its life.
struct SimulatedOrder: Sendable {
    /// Where it stands. Brokers tell some of these, in their own words.
    enum Stage: String, Sendable, Codable {
        case received
        /// The market is closed: kept for the next morning.
        case afterMarketReceived = "amo_received"
        /// Other terms for an order that waits for the morning.
        case afterMarketModified = "amo_modified"
        case validationPending = "validation_pending"
        case openPending = "open_pending"
        case open
        case triggerPending = "trigger_pending"
        case modifyPending = "modify_pending"
        case modified
        case partlyFilled = "partly_filled"
        case cancelPending = "cancel_pending"
        case complete
        case rejected
        case cancelled
    }

    enum Kind: String, Sendable, Codable {
        case market = "MARKET"
        case limit = "LIMIT"
        case stopLimit = "SL"
        case stopMarket = "SL-M"
    }

    enum Product: String, Sendable, Codable {
        case delivery = "CNC"
        case carryForward = "NRML"
        case intraday = "MIS"
    }

    /// The broker's number of the order.
    var id: String
    /// The exchange's; empty until the exchange has it.
    var exchangeID = ""
    /// Its place in ``Market/instruments``.
    var instrument: Int
    var stage: Stage
    /// Placed while the market was closed.
    var isAfterMarket = false
    var isBuy = true
    var kind = Kind.limit
    var product = Product.intraday
    /// Units.
    var quantity: Int64
    /// Mantissas with the segment's exponent.
    var price: Int64
    var triggerPrice: Int64 = 0
    var averagePrice: Int64 = 0
    var filledQuantity: Int64 = 0
    var cancelledQuantity: Int64 = 0
    /// Quantity and price of the fill that this stage tells of; 0 for others.
    var fillQuantity: Int64 = 0
    var fillPrice: Int64 = 0
    /// Why it was rejected; else empty.
    var message = ""
    var tag = ""
    /// ns since the Unix epoch.
    var time: UInt64

    /// What is still to be filled.
    var pendingQuantity: Int64 { stage.isFinal ? 0 : quantity - filledQuantity }
}

extension SimulatedOrder.Stage {
    var isFinal: Bool { self == .complete || self == .rejected || self == .cancelled }
}
