import MarketData

/// What clients were last told of each order, so that the same state told twice reaches them once.
///
/// The newest state alone is kept: a price that is changed back to an earlier one is news.
struct OrderMemory {
    /// Orders that are remembered; beyond it the one that came first is forgotten.
    static let capacity = 4_096

    private var last: [String: OrderUpdate] = [:]
    /// Orders by age, as a ring.
    private var ages: [String] = []
    private var oldest = 0

    /// Notes the update; false when it says what was said before.
    mutating func isNews(_ update: OrderUpdate) -> Bool {
        var state = update
        // Brokers word a reason differently on their two ways.
        state.reason = ""
        if let known = last.updateValue(state, forKey: update.orderID) { return known != state }
        if ages.count < OrderMemory.capacity {
            ages.append(update.orderID)
        } else {
            last[ages[oldest]] = nil
            ages[oldest] = update.orderID
            oldest = (oldest + 1) % OrderMemory.capacity
        }
        return true
    }
}
