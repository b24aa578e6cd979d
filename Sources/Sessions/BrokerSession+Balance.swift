import Adapters
import Logging
import NIOCore

/// Connections that are no longer needed: after the keep-alive time their instruments move to the others, and they end.
extension BrokerSession {
    private func surplus(_ kind: Int) -> Int { pool.surplus(kind, areOrdersWanted: orderReferences > 0) }

    private var hasSurplus: Bool { adapter.capabilities.links.indices.contains { surplus($0) > 0 } }

    /// Looks again after the keep-alive time, if there is something to close.
    func watchSurplus() {
        guard surplusTimer == nil, !isEnded, links.count > 1, hasSurplus,
            let keepAlive = adapter.capabilities.timings.keepAlive
        else { return }
        surplusTimer = loop.scheduleTask(in: .milliseconds(keepAlive)) { [weak self] in
            self?.assumeIsolated { session in
                session.surplusTimer = nil
                session.closeSurplus()
            }
        }
    }

    private func closeSurplus() {
        guard !isEnded else { return }
        let orders = links.values.first(where: \.bringsOrders)?.index
        for kind in adapter.capabilities.links.indices {
            var count = surplus(kind)
            while count > 0, pool.retireOne(kind, orders: orders) { count -= 1 }
        }
        act()
        flushAll()
    }

    /// Ends connections that were to be emptied and are empty.
    func closeRetired() {
        for index in pool.emptied {
            guard let link = links[index] else { continue }
            flush(link)
            let generation = generation(of: link)
            links[index] = nil
            pool.close(index)
            // First another one takes the order updates over.
            alignOrders()
            close(link, generation: generation)
            logger.info("a connection of the kind \(link.kind.name) closed: \(links.count) are enough")
        }
    }
}
