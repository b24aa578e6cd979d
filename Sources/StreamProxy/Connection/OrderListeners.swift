import MarketData
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
    func relay(_ order: OrderHeader, payload: UnsafeRawBufferPointer) {
        guard let listeners = clients[order.user] else { return }
        let update = ByteBuffer(bytes: payload)
        for client in listeners.values where client.orders.filter?.passes(order) ?? true {
            client.receiveOrder(update)
        }
    }
}
