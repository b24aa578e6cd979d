import Synchronization

/// Messages on their way from the publisher's thread to one reader, in order.
///
/// They travel in batches: the publisher fills one without a lock, hands it over at the end of its turn, and gets an empty
/// one back when the reader has read it. So a lock is taken once a batch, and in a steady state nothing is allocated.
final class ReaderQueue: Sendable {
    private struct State {
        var filled: ContiguousArray<MessageBatch> = []
        var empty: ContiguousArray<MessageBatch> = []
        /// Bytes that wait, with those that the reader is reading.
        var bytes = 0
        /// The reader sleeps until it is told.
        var isArmed = false
    }

    /// Bytes that may wait for one reader. Beyond it the publisher drops and counts.
    static let capacity = 64 << 20
    /// Empty batches that are kept; more are from a burst that is over.
    private static let spare = 4

    let number: UInt8
    private let state = Mutex(State())
    /// Under a lock of its own: whoever is woken comes for the messages at once, on one core even before the call that woke
    /// it is back, and must not find the lock of the messages taken.
    private let signal = Mutex<Signal?>(nil)

    /// A box, because a closure in a `Mutex` is wrapped anew each time that it is reached: after a million signals it would be
    /// a million calls deep.
    private final class Signal: Sendable {
        let call: @Sendable () -> Void
        init(_ call: @escaping @Sendable () -> Void) { self.call = call }
    }

    init(number: UInt8) { self.number = number }

    // MARK: Publisher

    /// A batch with room for so many bytes, or nil when too much waits already: the last one that was handed over, if the
    /// reader has not come for it yet, so that a reader that is late finds few full batches and not many with a message each.
    func batch(for size: Int) -> MessageBatch? {
        let (batch, isFull) = state.withLock { state -> (MessageBatch?, Bool) in
            if let last = state.filled.last, last.capacity - last.used >= size {
                state.filled.removeLast()
                state.bytes -= last.used
                return (last, false)
            }
            guard state.bytes + size <= ReaderQueue.capacity else { return (nil, true) }
            return (size <= MessageBatch.standard ? state.empty.popLast() : nil, false)
        }
        if isFull { return nil }
        return batch ?? MessageBatch(capacity: max(size, MessageBatch.standard))
    }

    /// Hands a batch over, and tells the reader if it sleeps.
    func push(_ batch: MessageBatch) {
        let isAsleep = state.withLock { state in
            state.filled.append(batch)
            state.bytes += batch.used
            defer { state.isArmed = false }
            return state.isArmed
        }
        if isAsleep { signal.withLock { $0?.call() } }
    }

    // MARK: Reader

    /// Everything that has been handed over, in place of what `batches` held: batches that have been read.
    func exchange(_ batches: inout ContiguousArray<MessageBatch>) {
        state.withLock { state in
            for batch in batches {
                state.bytes -= batch.used
                batch.clear()
                if state.empty.count < ReaderQueue.spare, batch.capacity == MessageBatch.standard {
                    state.empty.append(batch)
                }
            }
            batches.removeAll(keepingCapacity: true)
            swap(&batches, &state.filled)
        }
    }

    /// - Parameter signal: Called by the publisher's thread, once each time the queue is armed, under a lock: it must be short
    ///   and must not call ``listen(_:)``. Nil ends that: when this returns, nobody signals any more.
    func listen(_ signal: (@Sendable () -> Void)?) {
        state.withLock { $0.isArmed = false }
        self.signal.withLock { $0 = signal.map { Signal($0) } }
        // What has come in meanwhile.
        signal?()
    }

    /// The reader has nothing more to read; it is told when there is.
    func arm() {
        let isLate = state.withLock { state in
            state.isArmed = state.filled.isEmpty
            return !state.isArmed
        }
        if isLate { signal.withLock { $0?.call() } }
    }
}
