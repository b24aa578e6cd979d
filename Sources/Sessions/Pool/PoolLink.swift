import Adapters
import MarketData

/// What a session's pool knows of one connection: its state, its room, and its instruments.
struct PoolLink {
    enum State {
        case idle
        case connecting
        case ready
        /// Waiting to connect again.
        case backingOff
        /// Given up until credentials or configuration change.
        case failed(FeedError)
    }

    let index: Int
    let kindIndex: Int
    let kind: LinkKind
    /// Units that it takes.
    let quota: Int
    var state = State.idle
    /// Rises with every connect; events of older connections are ignored.
    var generation: UInt64 = 0
    var lines: [UInt32: Line] = [:]
    /// Instruments to be sent with the next flush, in order.
    var dirty: [UInt32] = []
    /// Lines that the broker is to be told to end with the next flush, before anything else.
    var leaving: [Line] = []
    /// True when its instruments move to other connections and it is to end.
    var isRetiring = false

    init(index: Int, kindIndex: Int, kind: LinkKind, quota: Int) {
        self.index = index
        self.kindIndex = kindIndex
        self.kind = kind
        self.quota = quota
    }

    /// Instruments a call.
    var batch: Int { kind.batch == 0 ? .max : kind.batch }
    var isConnected: Bool { if case .ready = state { true } else { false } }
    var hasFailed: Bool { if case .failed = state { true } else { false } }

    /// Has the instrument sent with the next flush.
    mutating func markDirty(_ handle: UInt32) {
        guard lines[handle]?.isDirty == false else { return }
        lines[handle]?.isDirty = true
        lines[handle]?.refusal = nil
        dirty.append(handle)
    }

    // MARK: Room

    /// Instruments with more than 5 levels, wanted or still served.
    var deepCount: Int { lines.values.count { $0.most.isDeep } }

    /// What its instruments come to, in what the broker's quota counts. What is in ``leaving`` does not count: the broker
    /// is told of it before anything is asked for.
    var units: Int { lines.count + (kind.unit == .instrumentAndMode ? deepCount : 0) }

    /// True when it takes the instrument with that demand, whether it has it already or not.
    func hasRoom(for demand: References.Demand, of handle: UInt32) -> Bool {
        let present = lines[handle]
        let then = present?.held?.union(demand) ?? demand
        let more = kind.units(of: then) - (present.map { kind.units(of: $0.most) } ?? 0)
        // What needs no more than before may stay on a connection that is full.
        if more > 0, units + more > quota { return false }
        guard kind.deepQuota > 0, demand.isDeep, present?.most.isDeep != true else { return true }
        return deepCount < kind.deepQuota
    }

    /// Which connection is asked first; the lowest.
    var preference: Int {
        switch state {
        case .failed: 3
        case _ where isRetiring: 2
        case .ready: 0
        default: 1
        }
    }
}
