import CFeedhostABI
import Glibc
import MarketData
import Synchronization
import TickRing

/// The end of the bus that one broker connection writes to. One thread at a time; wait-free.
public final class TickFeed: TickSink {
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
        for index in ticks.indices {
            let isTaken = put(&hasWaited, mayWait) { ring.put(first + index, bids: nil, asks: nil, now: now) }
            if isTaken { taken += 1 }
        }
        wake.signal(slot, in: ready)
        return taken
    }

    public func publish(
        _ tick: UnsafePointer<fh_tick>, bids: UnsafeBufferPointer<fh_level>, asks: UnsafeBufferPointer<fh_level>,
        now: UInt64, mayWait: () -> Bool = { false }
    ) -> Bool {
        guard isOpen.load(ordering: .relaxed) else { return false }
        var hasWaited = false
        let taken = put(&hasWaited, mayWait) { ring.put(tick, bids: bids, asks: asks, now: now) }
        wake.signal(slot, in: ready)
        return taken
    }

    /// The publisher checks the JSON.
    public func publish(
        raw json: UnsafeRawBufferPointer, instrument: UInt32, mode: Mode, mayWait: () -> Bool = { false }
    ) -> Bool {
        guard isOpen.load(ordering: .relaxed) else { return false }
        var hasWaited = false
        let isTaken = put(&hasWaited, mayWait) {
            ring.put(raw: json, instrument: instrument, mode: UInt32(mode.rawValue))
        }
        wake.signal(slot, in: ready)
        return isTaken
    }

    /// Puts a record into the ring; waits for room where that is allowed.
    @inline(__always)
    private func put(_ hasWaited: inout Bool, _ mayWait: () -> Bool, _ put: () -> TickRing.Put) -> Bool {
        var outcome = put()
        if case .full = outcome, !hasWaited, mayWait() {
            hasWaited = true
            awaitRoom()
            outcome = put()
        }
        switch outcome {
        case .taken: return true
        case .full: counters.ringDrops.count()
        case .refused: counters.badTicks.count()
        }
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
}
