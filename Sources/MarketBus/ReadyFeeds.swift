import Synchronization

/// Which feeds have something: a bit each, set by producers and taken by the publisher, so that feeds at rest are not looked
/// at. Wait-free on both sides.
final class ReadyFeeds: Sendable {
    /// Bits. Feeds beyond it share one, and are then looked at together.
    static let slots = 1024
    static let words = slots / 64

    // Allocated once; every access is atomic.
    nonisolated(unsafe) private let bits: UnsafeMutablePointer<Atomic<UInt64>>

    init() {
        bits = .allocate(capacity: Self.words)
        for word in 0..<Self.words { (bits + word).initialize(to: Atomic(0)) }
    }

    deinit {
        bits.deinitialize(count: Self.words)
        bits.deallocate()
    }

    /// Producer, after it has written. The fence before (in ``WakeUp/signal(_:in:)``) orders the writing before the look at the bit;
    /// the publisher clears the bit first and reads afterwards.
    @inline(__always)
    func mark(_ slot: Int) {
        if bits[slot / 64].load(ordering: .relaxed) & (1 << UInt64(slot % 64)) == 0 { set(slot) }
    }

    @inline(never)
    private func set(_ slot: Int) {
        bits[slot / 64].bitwiseOr(1 << UInt64(slot % 64), ordering: .sequentiallyConsistent)
        // Before the look at whether the publisher sleeps.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// Publisher. Moves all bits that are set to `waiting`.
    func take(into waiting: inout Waiting) {
        for word in 0..<Self.words where bits[word].load(ordering: .relaxed) != 0 {
            waiting.words[word] |= bits[word].exchange(0, ordering: .sequentiallyConsistent)
        }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// The publisher's own list of slots whose turn has not come, in a circle.
    struct Waiting {
        fileprivate(set) var words = [UInt64](repeating: 0, count: ReadyFeeds.words)
        /// Where the next look begins.
        private var place = 0

        var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

        mutating func insert(_ slot: Int) { words[slot / 64] |= 1 << UInt64(slot % 64) }

        /// Takes the next one out; nil when there is none.
        mutating func next() -> Int? {
            // One more than there are words: of the first one the bits before the place come last.
            for step in 0...ReadyFeeds.words {
                let word = (place / 64 + step) % ReadyFeeds.words
                let behind = step == 0 ? UInt64.max << UInt64(place % 64) : .max
                let candidates = words[word] & behind
                guard candidates != 0 else { continue }
                let slot = word * 64 + candidates.trailingZeroBitCount
                words[word] &= ~(1 << UInt64(slot % 64))
                place = (slot + 1) % ReadyFeeds.slots
                return slot
            }
            return nil
        }
    }
}
