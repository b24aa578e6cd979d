import CZeroMQ
import MarketData

/// What publishers from outside send, and which routes want it. Used by the publisher's thread alone.
///
/// A topic is parsed once, when it is first seen; after that it is found by its bytes.
struct ExternalTopics {
    /// One instrument of the outside world, with the last message of each mode.
    final class Entry {
        /// What is known of one mode's own topic.
        private struct Slot {
            /// When it was last seen, in seconds of the monotonic clock: as long as it is, no higher one stands in for it.
            var seen: Int?
            /// The last message. A copy in memory of our own: a share of libzmq's would keep its whole receive buffer.
            var last: [UInt8] = []
        }

        private var slots = [Slot](repeating: Slot(), count: Mode.allCases.count)
        var wants: [(key: RouteKey, readers: UInt64)] = []

        /// A publisher that has gone over to other topics shall not leave clients mute for ever. Seconds.
        private static let memory = 60

        private func index(_ mode: Mode) -> Int { Int(mode.rawValue) - 1 }

        func note(_ mode: Mode, now: Int) { slots[index(mode)].seen = now }

        func keep(_ message: UnsafeRawBufferPointer, _ mode: Mode) {
            slots[index(mode)].last.removeAll(keepingCapacity: true)
            slots[index(mode)].last.append(contentsOf: message)
        }

        /// The last message that serves `mode`: of its own topic, else of the nearest higher one that has been seen.
        func withLast(for mode: Mode, _ body: (UnsafeRawBufferPointer) -> Void) {
            slots[index(mode)...].first { !$0.last.isEmpty }?.last.withUnsafeBytes(body)
        }

        /// Whether a message of `source` goes to routes of `mode`.
        func serves(_ mode: Mode, from source: Mode, now: Int) -> Bool {
            if mode == source { return true }
            guard mode < source else { return false }
            return slots[index(mode)].seen.map { now - $0 > Entry.memory } ?? true
        }
    }

    /// A topic as it comes in.
    final class Known {
        let entry: Entry
        let mode: Mode
        init(entry: Entry, mode: Mode) {
            self.entry = entry
            self.mode = mode
        }
    }

    /// Topics and instruments at the most; a publisher that invents names cannot fill the memory.
    static let capacity = 500_000

    var sessions: Set<UInt32> = []
    private var exchanges: Exchanges
    private var entries: [Instrument: Entry] = [:]
    /// By the hash of their bytes, so that nothing is copied to find one.
    private var topics: [Int: [(bytes: [UInt8], known: Known)]] = [:]
    private var topicCount = 0

    init(exchanges: Exchanges) { self.exchanges = exchanges }

    /// The topic's meaning, or nil if it is no market data.
    mutating func resolve(_ bytes: UnsafeRawBufferPointer) -> Known? {
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        let hash = hasher.finalize()
        if let candidates = topics[hash] {
            for candidate in candidates where candidate.bytes.elementsEqual(bytes) { return candidate.known }
        }
        guard topicCount < ExternalTopics.capacity, let text = String(validating: bytes, as: UTF8.self),
            let topic = Topic(text, exchanges: exchanges), topic.instrument.isPlausible
        else { return nil }
        let known = Known(entry: entry(topic.instrument), mode: topic.mode)
        topics[hash, default: []].append(([UInt8](bytes), known))
        topicCount += 1
        return known
    }

    private mutating func entry(_ instrument: Instrument) -> Entry {
        if let entry = entries[instrument] { return entry }
        let entry = Entry()
        entries[instrument] = entry
        return entry
    }

    /// Notes that a reader wants a route, or no longer does, and hands over the last value that serves it.
    mutating func setInterest(
        _ key: RouteKey, reader: UInt8, _ wants: Bool, instruments: InstrumentHandles,
        lastValue: (UnsafeRawBufferPointer) -> Void
    ) {
        guard let instrument = instruments[key.instrument] else { return }
        exchanges.insert(instrument.exchange)
        let entry = entry(Instrument(exchange: instrument.exchange, symbol: key.name(of: instrument)))
        let bit = UInt64(1) << UInt64(reader)
        let index = entry.wants.firstIndex { $0.key == key }
        guard wants else {
            guard let index else { return }
            entry.wants[index].readers &= ~bit
            if entry.wants[index].readers == 0 { entry.wants.remove(at: index) }
            return
        }
        if let index { entry.wants[index].readers |= bit } else { entry.wants.append((key, bit)) }
        entry.withLast(for: key.mode, lastValue)
    }

    func forget(reader: UInt8) {
        for entry in entries.values {
            for index in entry.wants.indices { entry.wants[index].readers &= ~(1 << UInt64(reader)) }
            entry.wants.removeAll { $0.readers == 0 }
        }
    }

    mutating func close(session: UInt32) {
        guard sessions.remove(session) != nil else { return }
        for entry in entries.values { entry.wants.removeAll { $0.key.session == session } }
    }
}
