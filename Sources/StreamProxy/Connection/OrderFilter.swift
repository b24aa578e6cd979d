import MarketData

/// Which of its user's order updates a client gets, where it does not get all of them.
struct OrderFilter {
    let permissions: Permissions
    /// The user's brokers that the client has not asked for.
    let others: Set<String>

    /// - Returns: Nil when there is nothing to hold back.
    init?(_ permissions: Permissions, others: Set<String>) {
        self.permissions = permissions
        self.others = others
        guard !others.isEmpty || permissions.restrictsInstruments || permissions.brokers != nil else { return nil }
    }

    /// What does not say whose or of what it is goes to nobody who may not see everything.
    func passes(_ order: OrderHeader) -> Bool {
        if let broker = order.broker {
            guard permissions.allows(broker: broker), !others.contains(broker) else { return false }
        } else {
            guard permissions.brokers == nil else { return false }
        }
        guard permissions.restrictsInstruments else { return true }
        return order.instrument.map { permissions.allows($0) } ?? false
    }
}
