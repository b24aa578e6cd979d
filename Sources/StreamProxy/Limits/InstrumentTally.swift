import MarketData

/// Instruments that a client holds, each counted once whatever its modes, depths and spellings; those of two brokers are
/// two. Kept only for clients with a limit.
struct InstrumentTally: Sendable {
    private struct Key: Hashable {
        let broker: String
        let instrument: Instrument
    }

    /// Most instruments at a time.
    let limit: Int
    private var counts: [Key: Int] = [:]

    init(limit: Int) { self.limit = limit }

    var count: Int { counts.count }

    /// - Parameter instrument: Without a depth suffix.
    mutating func add(_ instrument: Instrument, broker: String) {
        counts[Key(broker: broker, instrument: instrument), default: 0] += 1
    }

    /// - Returns: Whether there was room.
    mutating func admit(_ instrument: Instrument, broker: String) -> Bool {
        let key = Key(broker: broker, instrument: instrument)
        if counts[key] != nil { return true }
        guard counts.count < limit else { return false }
        counts[key] = 1
        return true
    }

    mutating func remove(_ instrument: Instrument, broker: String) {
        let key = Key(broker: broker, instrument: instrument)
        guard let count = counts[key] else { return }
        counts[key] = count > 1 ? count - 1 : nil
    }

    mutating func removeAll() { counts = [:] }
}
