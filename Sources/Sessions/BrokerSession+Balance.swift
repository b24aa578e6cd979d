import Adapters
import Logging
import NIOCore

/// Connections that are no longer needed: after the keep-alive time their instruments move to the others, and they end.
extension BrokerSession {
    /// Connections of that kind that are open beyond what its instruments and the order stream need.
    private func surplus(_ kind: Int) -> Int {
        let open = links.values.filter { $0.kindIndex == kind && !$0.isRetiring }
        guard !open.isEmpty else { return 0 }
        let declared = adapter.capabilities.links[kind]
        let isWanted = kind == firstMarketKind || (orderReferences > 0 && kind == adapter.capabilities.orderKind)
        var needed = isWanted ? 1 : 0
        let units = open.reduce(0) { $0 + $1.units }
        let quota = environment.limits.quota(of: declared)
        if units > 0 { needed = max(needed, (units - 1) / max(1, quota) + 1) }
        if declared.deepQuota > 0 {
            let deep = open.reduce(0) { $0 + $1.deepCount }
            if deep > 0 { needed = max(needed, (deep - 1) / declared.deepQuota + 1) }
        }
        return open.count - needed
    }

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
        for kind in adapter.capabilities.links.indices {
            var count = surplus(kind)
            while count > 0, retireOne(kind) { count -= 1 }
        }
        flushAll()
    }

    /// Empties the connection that has least on it; one that is down goes first.
    /// - Returns: False when the others cannot take it all, now.
    private func retireOne(_ kind: Int) -> Bool {
        let open = links.values.filter { $0.kindIndex == kind && !$0.isRetiring }
        func order(_ link: Link) -> (Int, Int, Int) {
            (link.isConnected ? 1 : 0, link.bringsOrders ? 1 : 0, link.lines.count)
        }
        guard let victim = open.min(by: { order($0) == order($1) ? $0.index > $1.index : order($0) < order($1) }) else {
            return false
        }
        let others = open.filter { $0 !== victim }.sorted { ($0.preference, $0.index) < ($1.preference, $1.index) }
        victim.isRetiring = true
        for line in victim.lines.values where !line.isDeparting {
            let target = others.first {
                ($0.isConnected || !victim.isConnected) && hasRoom($0, for: line.wanted, of: line.handle)
            }
            guard let target else {
                victim.isRetiring = false
                return false
            }
            move(line.handle, line.instrument, line.wanted, to: target)
        }
        return true
    }

    /// Ends connections that were to be emptied and are empty.
    func closeRetired() {
        for link in links.values where link.isRetiring && link.lines.isEmpty {
            flush(link)
            links[link.index] = nil
            // First another one takes the order updates over.
            alignOrders()
            close(link)
            logger.info("a connection of the kind \(link.kind.name) closed: \(links.count) are enough")
        }
    }
}
