/// What a fault `order` asks for: an order and the life that it shall have.
struct OrderPlan: Sendable, Decodable {
    enum Life: String, Sendable, Decodable {
        /// Received, pending, open, half filled, complete.
        case complete
        case rejected
        /// Open, then cancelled.
        case cancelled
        /// Open, then another price and quantity, then complete.
        case modified
        /// Waits for its trigger, then complete.
        case trigger
        /// Stays open.
        case open
        /// After the market: received, and waits for the morning.
        case afterMarket = "amo"
        /// After the market: received, then another price and quantity.
        case afterMarketModified = "amo_modified"
        /// After the market: received, then cancelled before the morning.
        case afterMarketCancelled = "amo_cancelled"
        /// After the market: received; then comes the morning, and the life of one that completes.
        case afterMarketComplete = "amo_complete"

        var isAfterMarket: Bool {
            switch self {
            case .afterMarket, .afterMarketModified, .afterMarketCancelled, .afterMarketComplete: true
            case .complete, .rejected, .cancelled, .modified, .trigger, .open: false
            }
        }
    }

    var life: Life = .complete
    var side: String = "BUY"
    var type: SimulatedOrder.Kind = .limit
    var product: SimulatedOrder.Product = .intraday
    /// Units; without it two lots.
    var quantity: Int64?
    /// Rupees; without it the last price.
    var price: Double?
    var triggerPrice: Double?
    var message: String?
    var tag: String = ""
    /// Between two stages; 0 tells all of them at once.
    var intervalMilliseconds: Int64 = 0

    enum CodingKeys: String, CodingKey {
        case life, side, type, product, quantity, price, message, tag
        case triggerPrice = "trigger_price"
        case intervalMilliseconds = "interval_ms"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        life = try values.decodeIfPresent(Life.self, forKey: .life) ?? .complete
        side = try values.decodeIfPresent(String.self, forKey: .side) ?? "BUY"
        type = try values.decodeIfPresent(SimulatedOrder.Kind.self, forKey: .type) ?? .limit
        product = try values.decodeIfPresent(SimulatedOrder.Product.self, forKey: .product) ?? .intraday
        quantity = try values.decodeIfPresent(Int64.self, forKey: .quantity)
        price = try values.decodeIfPresent(Double.self, forKey: .price)
        triggerPrice = try values.decodeIfPresent(Double.self, forKey: .triggerPrice)
        message = try values.decodeIfPresent(String.self, forKey: .message)
        tag = try values.decodeIfPresent(String.self, forKey: .tag) ?? ""
        intervalMilliseconds = try values.decodeIfPresent(Int64.self, forKey: .intervalMilliseconds) ?? 0
    }

    /// The stages one after the other; times are filled in when each is told.
    /// - Parameter tickSize: A mantissa; a modification asks for ten of it more.
    func stages(of first: SimulatedOrder, tickSize: Int64) -> [SimulatedOrder] {
        var stages: [SimulatedOrder] = []
        var order = first
        func tell(_ stage: SimulatedOrder.Stage, _ change: (inout SimulatedOrder) -> Void = { _ in }) {
            order.stage = stage
            (order.fillQuantity, order.fillPrice) = (0, 0)
            change(&order)
            stages.append(order)
        }
        func fill(_ stage: SimulatedOrder.Stage, _ quantity: Int64) {
            tell(stage) { order in
                order.fillQuantity = quantity
                order.fillPrice = order.price
                order.filledQuantity += quantity
                order.averagePrice = order.price
            }
        }
        func fillInTwo() {
            let half = order.quantity / 2
            if half > 0 { fill(.partlyFilled, half) }
            fill(.complete, order.quantity - half)
        }
        func change(_ order: inout SimulatedOrder) {
            order.quantity *= 2
            order.price += 10 * tickSize
        }
        func cancel() { tell(.cancelled) { $0.cancelledQuantity = $0.quantity - $0.filledQuantity } }
        if life.isAfterMarket {
            order.isAfterMarket = true
            tell(.afterMarketReceived)
            if life == .afterMarketModified { tell(.afterMarketModified, change) }
            if life == .afterMarketCancelled { cancel() }
            guard life == .afterMarketComplete else { return stages }
        }
        tell(.received)
        tell(.validationPending)
        if life == .rejected {
            tell(.rejected) { $0.message = message ?? "Insufficient funds (simulated)." }
            return stages
        }
        tell(.openPending) { $0.exchangeID = "11\($0.id)" }
        if life == .trigger { tell(.triggerPending) }
        tell(.open)
        switch life {
        case .complete, .trigger, .afterMarketComplete: fillInTwo()
        case .cancelled:
            tell(.cancelPending)
            cancel()
        case .modified:
            tell(.modifyPending)
            tell(.modified, change)
            fillInTwo()
        // Nothing more happens to an open one; the others have returned already.
        case .open, .rejected, .afterMarket, .afterMarketModified, .afterMarketCancelled: break
        }
        return stages
    }
}
