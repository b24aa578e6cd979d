import CFeedhostABI
import MarketData
import Synchronization

/// The end of the bus that one broker connection writes to. One thread at a time; wait-free.
public final class TickFeed: Sendable {
    /// More levels a side than any venue shows; a count beyond it is a fault of the adapter.
    public static let maximumLevels = 200
    /// Bytes of one raw message.
    public static let maximumRaw = 64 * 1024

    let ring: TickRing
    let session: UInt32
    private let wake: WakeUp
    private let counters: BusCounters
    private let isOpen = Atomic<Bool>(true)

    init(session: UInt32, wake: WakeUp, counters: BusCounters, capacity: Int) {
        self.session = session
        self.wake = wake
        self.counters = counters
        ring = TickRing(capacity: capacity)
    }

    /// True when the publisher is far behind; a transport then stops reading from its socket.
    public var isCrowded: Bool { ring.isCrowded }

    /// Closed feeds take nothing any more.
    func close() { isOpen.store(false, ordering: .releasing) }

    /// Takes updates without books, in order.
    /// - Parameter now: ns since the Unix epoch, for ticks that carry no receive time.
    /// - Returns: How many were taken; the rest is dropped and counted.
    public func publish(_ ticks: UnsafeBufferPointer<fh_tick>, now: UInt64) -> Int {
        guard isOpen.load(ordering: .relaxed), let first = ticks.baseAddress else { return 0 }
        var taken = 0
        for index in ticks.indices where push(first + index, nil, nil, now) { taken += 1 }
        wake.signal()
        return taken
    }

    /// Takes one update with a book.
    public func publish(
        _ tick: UnsafePointer<fh_tick>, bids: UnsafeBufferPointer<fh_level>, asks: UnsafeBufferPointer<fh_level>,
        now: UInt64
    ) -> Bool {
        guard isOpen.load(ordering: .relaxed) else { return false }
        let taken = push(tick, bids, asks, now)
        wake.signal()
        return taken
    }

    /// Takes a finished JSON object (`feedhost.raw-publish/1`). The publisher checks it.
    public func publish(raw json: UnsafeRawBufferPointer, instrument: UInt32, mode: Mode) -> Bool {
        guard isOpen.load(ordering: .relaxed) else { return false }
        guard let start = json.baseAddress, json.count <= TickFeed.maximumRaw else {
            counters.badTicks.count()
            return false
        }
        let header = TickRing.Header(
            size: 0, kind: TickRing.Kind.raw.rawValue, bids: 0, asks: 0, instrument: instrument,
            length: UInt32(json.count), mode: UInt32(mode.rawValue))
        let taken = ring.push(header, bytes: json.count) { $0.copyMemory(from: start, byteCount: json.count) }
        if !taken { counters.ringDrops.count() }
        wake.signal()
        return taken
    }

    @inline(__always)
    private func push(
        _ tick: UnsafePointer<fh_tick>, _ bids: UnsafeBufferPointer<fh_level>?,
        _ asks: UnsafeBufferPointer<fh_level>?, _ now: UInt64
    ) -> Bool {
        let bidCount = tick.pointee.fields & UInt64(FH_F_BIDS) != 0 ? bids?.count ?? 0 : 0
        let askCount = tick.pointee.fields & UInt64(FH_F_ASKS) != 0 ? asks?.count ?? 0 : 0
        guard bidCount <= TickFeed.maximumLevels, askCount <= TickFeed.maximumLevels, tick.pointee.instrument != 0,
            (-18...0).contains(tick.pointee.price_exp), (-18...0).contains(tick.pointee.qty_exp)
        else {
            counters.badTicks.count()
            return false
        }
        let header = TickRing.Header(
            size: 0, kind: TickRing.Kind.tick.rawValue, bids: UInt16(bidCount), asks: UInt16(askCount),
            instrument: tick.pointee.instrument, length: 0, mode: 0)
        let tickSize = MemoryLayout<fh_tick>.size
        let levelSize = MemoryLayout<fh_level>.stride
        let taken = ring.push(header, bytes: tickSize + (bidCount + askCount) * levelSize) { place in
            place.copyMemory(from: tick, byteCount: tickSize)
            let copy = place.assumingMemoryBound(to: fh_tick.self)
            if copy.pointee.ts_recv == fh_ts_none() { copy.pointee.ts_recv = now }
            // A side that is announced but was not handed over would be read as an empty book.
            if bids == nil { copy.pointee.fields &= ~(UInt64(FH_F_BIDS) | UInt64(FH_F_ASKS)) }
            if bidCount > 0, let from = bids?.baseAddress {
                (place + tickSize).copyMemory(from: from, byteCount: bidCount * levelSize)
            }
            if askCount > 0, let from = asks?.baseAddress {
                (place + tickSize + bidCount * levelSize).copyMemory(from: from, byteCount: askCount * levelSize)
            }
        }
        if !taken { counters.ringDrops.count() }
        return taken
    }
}
