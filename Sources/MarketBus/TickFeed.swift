import CFeedhostABI
import Glibc
import MarketData
import Synchronization
import TickRing

/// The end of the bus that one broker connection writes to. One thread at a time; wait-free.
public final class TickFeed: TickSink {
    /// More levels a side than any venue shows; a count beyond it is a fault of the adapter.
    public static let maximumLevels = 200
    /// Bytes of one raw message.
    public static let maximumRaw = 64 * 1024

    public let id: UInt64
    let ring: TickRing
    let session: UInt32
    /// Its bit in ``ReadyFeeds``.
    let slot: Int
    private let wake: WakeUp
    private let ready: ReadyFeeds
    private let counters: BusCounters
    private let isOpen = Atomic<Bool>(true)

    private let patience: Int

    init(
        _ id: UInt64, session: UInt32, wake: WakeUp, ready: ReadyFeeds, counters: BusCounters, capacity: Int,
        patience: Int = TickFeed.patience
    ) {
        self.patience = patience
        self.session = session
        self.id = id
        slot = Int(id % UInt64(ReadyFeeds.slots))
        self.wake = wake
        self.ready = ready
        self.counters = counters
        ring = TickRing(capacity: capacity)
    }

    public var isCrowded: Bool { ring.isCrowded }

    /// Closed feeds take nothing any more.
    func close() { isOpen.store(false, ordering: .releasing) }

    /// - Parameter mayWait: Asked when the ring is full: whether this thread may be held for up to ``patience``, so that whoever
    ///   sends to the adapter is held as well.
    public func publish(
        _ ticks: UnsafeBufferPointer<fh_tick>, now: UInt64, mayWait: () -> Bool = { false }
    ) -> Int {
        guard isOpen.load(ordering: .relaxed), let first = ticks.baseAddress else { return 0 }
        var taken = 0
        // Once a call: a publisher that stands still holds nobody longer.
        var hasWaited = false
        for index in ticks.indices where push(first + index, nil, nil, now, &hasWaited, mayWait) { taken += 1 }
        wake.signal(slot, in: ready)
        return taken
    }

    public func publish(
        _ tick: UnsafePointer<fh_tick>, bids: UnsafeBufferPointer<fh_level>, asks: UnsafeBufferPointer<fh_level>,
        now: UInt64, mayWait: () -> Bool = { false }
    ) -> Bool {
        guard isOpen.load(ordering: .relaxed) else { return false }
        var hasWaited = false
        let taken = push(tick, bids, asks, now, &hasWaited, mayWait)
        wake.signal(slot, in: ready)
        return taken
    }

    /// The publisher checks the JSON.
    public func publish(
        raw json: UnsafeRawBufferPointer, instrument: UInt32, mode: Mode, mayWait: () -> Bool = { false }
    ) -> Bool {
        guard isOpen.load(ordering: .relaxed) else { return false }
        guard let start = json.baseAddress, json.count <= TickFeed.maximumRaw else {
            counters.badTicks.count()
            return false
        }
        let header = TickRing.Header(
            size: 0, kind: TickRing.Kind.raw.rawValue, bids: 0, asks: 0, instrument: instrument,
            length: UInt32(json.count), mode: UInt32(mode.rawValue))
        var hasWaited = false
        let taken = put(header, bytes: json.count, &hasWaited, mayWait) {
            $0.copyMemory(from: start, byteCount: json.count)
        }
        wake.signal(slot, in: ready)
        return taken
    }

    /// A record; waits for room where that is allowed.
    @inline(__always)
    private func put(
        _ header: TickRing.Header, bytes: Int, _ hasWaited: inout Bool, _ mayWait: () -> Bool,
        _ fill: (UnsafeMutableRawPointer) -> Void
    ) -> Bool {
        if ring.push(header, bytes: bytes, fill) { return true }
        if !hasWaited, mayWait() {
            hasWaited = true
            awaitRoom()
            if ring.push(header, bytes: bytes, fill) { return true }
        }
        counters.ringDrops.count()
        return false
    }

    /// How long an adapter's own thread is held when its ring is full, in ms: well below what a call of the host's to the
    /// adapter may take, which may wait for a lock of that thread.
    public static let patience = 50

    /// Holds the thread until half of the ring is free, the feed is closed, or its patience is over.
    @inline(never)
    private func awaitRoom() {
        counters.ringWaits.count()
        wake.signal(slot, in: ready)
        var millisecond = timespec(tv_sec: 0, tv_nsec: 1_000_000)
        for _ in 0..<patience where ring.isCrowded && isOpen.load(ordering: .relaxed) {
            nanosleep(&millisecond, nil)
        }
    }

    @inline(__always)
    private func push(
        _ tick: UnsafePointer<fh_tick>, _ bids: UnsafeBufferPointer<fh_level>?,
        _ asks: UnsafeBufferPointer<fh_level>?, _ now: UInt64, _ hasWaited: inout Bool, _ mayWait: () -> Bool
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
        return put(header, bytes: tickSize + (bidCount + askCount) * levelSize, &hasWaited, mayWait) { place in
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
    }
}
