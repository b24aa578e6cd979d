import Adapters
import MarketData

/// Which connection an instrument goes to.
extension Pool {
    /// Where a demand can go.
    enum Room {
        case on(link: Int)
        /// On another connection of that kind, to be opened.
        case new(kind: Int)
    }

    var firstMarketKind: Int { capabilities.links.firstIndex(where: \.carriesMarketData) ?? 0 }

    /// The kind of connection that carries a demand.
    func kind(for demand: References.Demand) throws(FeedError) -> Int {
        let kinds = capabilities.links
        let fitting = kinds.firstIndex {
            $0.carries(demand.mode) && ($0.maxDepth == 0 || demand.depth <= $0.maxDepth)
        }
        guard let kind = fitting ?? kinds.firstIndex(where: { $0.carries(demand.mode) }) else {
            throw FeedError(.subscription, "\(broker) has no connection that carries mode \(demand.mode.label)")
        }
        return kind
    }

    /// A connection with room for the instrument, or the permission to open another.
    func room(kind: Int, for demand: References.Demand, of handle: UInt32) throws(FeedError) -> Room {
        let open = links.values.filter { $0.kindIndex == kind }
        // First the one that has the instrument already and was to give it away.
        func order(_ link: PoolLink) -> (Int, Int) {
            (link.lines[handle] == nil ? link.preference : -1, link.index)
        }
        if let link = open.filter({ $0.hasRoom(for: demand, of: handle) }).min(by: { order($0) < order($1) }) {
            return .on(link: link.index)
        }
        let isExclusive = capabilities.flags.contains(.exclusiveSession)
        if limits.isSingle(capabilities), open.isEmpty,
            !(isExclusive ? links.isEmpty : !links.values.contains(where: \.kind.carriesMarketData))
        {
            throw FeedError(
                .capacity,
                "\(broker) allows one connection, and it does not carry mode \(demand.mode.label) with \(demand.depth) levels"
            )
        }
        guard open.count < limits.connections(of: capabilities, kind: kind) else {
            let declared = capabilities.links[kind]
            let quota = limits.quota(of: declared)
            let isFull = open.allSatisfy { $0.units + declared.units(of: demand) > quota }
            throw .full(broker, open, isFull ? quota : nil)
        }
        return .new(kind: kind)
    }
}

extension FeedError {
    /// - Parameter quota: Units that each connection takes; nil when it is the deep books that are too many.
    fileprivate static func full(_ broker: String, _ open: [PoolLink], _ quota: Int?) -> FeedError {
        let kind = open.first?.kind
        let isPaired = kind?.unit == .instrumentAndMode
        let what =
            quota == nil
            ? "instruments with more than 5 levels" : isPaired ? "(instrument, mode) pairs" : "instruments"
        let used = open.reduce(0) { $0 + (quota == nil ? $1.deepCount : $1.units) }
        let number = (quota ?? kind?.deepQuota ?? 0).grouped
        return FeedError(
            .capacity,
            "\(broker): \(open.count) connection\(open.count == 1 ? "" : "s") of \(number) \(what) \(open.count == 1 ? "is" : "are") full (\(used.grouped) subscribed); unsubscribe some first"
        )
    }
}

extension Int {
    /// With thousands set apart: `9,000`.
    fileprivate var grouped: String {
        let digits = String(self)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }
}
