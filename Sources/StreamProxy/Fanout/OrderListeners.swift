import NIOCore

/// Clients that have asked for their user's order updates.
struct OrderListeners {
    private var clients: [String: [ObjectIdentifier: Client]] = [:]

    mutating func add(_ client: Client, user: String) {
        clients[user, default: [:]][ObjectIdentifier(client)] = client
    }

    mutating func remove(_ client: Client, user: String) {
        clients[user]?[ObjectIdentifier(client)] = nil
        if clients[user]?.isEmpty == true { clients[user] = nil }
    }

    /// Relays an update untouched to everybody who may have it. Order updates are never dropped.
    func relay(user: String, payload: UnsafeRawBufferPointer) {
        guard let listeners = clients[user] else { return }
        let update = ByteBuffer(bytes: payload)
        // Read only where a listener may not have all of them.
        lazy var facts = OrderFacts(update)
        for client in listeners.values where client.orders.filter?.passes(facts) ?? true {
            client.receiveOrder(update)
        }
    }
}
