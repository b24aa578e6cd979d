import Adapters
import MarketData

/// Connections that are no longer needed: their instruments move to the others, and they end.
extension Pool {
    /// Connections of that kind that are open beyond what its instruments and the order stream need.
    func surplus(_ kind: Int, areOrdersWanted: Bool) -> Int {
        let open = links.values.filter { $0.kindIndex == kind && !$0.isRetiring }
        guard !open.isEmpty else { return 0 }
        let declared = capabilities.links[kind]
        let isWanted = kind == firstMarketKind || (areOrdersWanted && kind == capabilities.orderKind)
        var needed = isWanted ? 1 : 0
        let units = open.reduce(0) { $0 + $1.units }
        let quota = limits.quota(of: declared)
        if units > 0 { needed = max(needed, (units - 1) / max(1, quota) + 1) }
        if declared.deepQuota > 0 {
            let deep = open.reduce(0) { $0 + $1.deepCount }
            if deep > 0 { needed = max(needed, (deep - 1) / declared.deepQuota + 1) }
        }
        return open.count - needed
    }

    /// Empties the connection that has least on it; one that is down goes first. When room runs out on the way, what has
    /// moved stays moved.
    /// - Parameter orders: The connection that brings the order updates, which goes later than others.
    /// - Returns: False when the others cannot take it all, now.
    mutating func retireOne(_ kind: Int, orders: Int?) -> Bool {
        let open = links.values.filter { $0.kindIndex == kind && !$0.isRetiring }
        func order(_ link: PoolLink) -> (Int, Int, Int, Int) {
            (link.isConnected ? 1 : 0, link.index == orders ? 1 : 0, link.lines.count, -link.index)
        }
        guard let victim = open.min(by: { order($0) < order($1) }) else { return false }
        let others = inOrderOfPreference { $0.kindIndex == kind && !$0.isRetiring && $0.index != victim.index }
        links[victim.index]?.isRetiring = true
        for line in victim.lines.values.sorted(by: { $0.handle < $1.handle }) where !line.isDeparting {
            let target = others.first {
                (isConnected($0) || !victim.isConnected)
                    && links[$0]?.hasRoom(for: line.wanted, of: line.handle) == true
            }
            guard let target else {
                keep(victim.index)
                return false
            }
            move(line.handle, line.instrument, line.wanted, to: target)
        }
        return true
    }

    /// Connections that were to be emptied and are empty.
    var emptied: [Int] { links.values.filter { $0.isRetiring && $0.lines.isEmpty }.map(\.index).sorted() }
}
