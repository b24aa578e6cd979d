import Adapters
import MarketData

/// What a session's clients want of its instruments, counted per (instrument, mode, depth).
///
/// The highest mode and the deepest book go to the broker; each client gets its own mode's fields.
struct References {
    /// What the broker is to be asked for.
    struct Demand: Hashable, Sendable {
        var mode: Mode
        /// Levels; 0 unless the mode is depth.
        var depth: Int

        /// More levels than every connection carries.
        var isDeep: Bool { depth > 5 }

        func covers(_ other: Demand) -> Bool { mode >= other.mode && depth >= other.depth }

        /// What covers both.
        func union(_ other: Demand) -> Demand {
            Demand(mode: max(mode, other.mode), depth: max(depth, other.depth))
        }
    }

    private var counts: [UInt32: [RouteKey: Int]] = [:]

    /// Instruments that somebody wants.
    var instruments: Dictionary<UInt32, [RouteKey: Int]>.Keys { counts.keys }

    mutating func add(_ key: RouteKey) { counts[key.instrument, default: [:]][key, default: 0] += 1 }

    /// - Returns: False if nobody held that reference.
    @discardableResult
    mutating func remove(_ key: RouteKey) -> Bool {
        guard var keys = counts[key.instrument], let count = keys[key] else { return false }
        keys[key] = count > 1 ? count - 1 : nil
        counts[key.instrument] = keys.isEmpty ? nil : keys
        return true
    }

    /// The demand for an instrument; nil when nobody wants it any more.
    func demand(_ instrument: UInt32) -> Demand? {
        guard let keys = counts[instrument]?.keys, let mode = keys.map(\.mode).max() else { return nil }
        return Demand(mode: mode, depth: Int(keys.map(\.depth).max() ?? 0))
    }
}

extension LinkKind {
    /// What an instrument counts for in ``quota``. A book with more than 5 levels comes as a mode of its own, beside the one
    /// that brings the prices, so where the broker counts modes it counts twice.
    func units(of demand: References.Demand) -> Int { unit == .instrumentAndMode && demand.isDeep ? 2 : 1 }
}
