import MarketData
import Synchronization

/// Messages on their way from the publisher's thread to one shard, in order.
///
/// They travel in batches: the publisher fills one without a lock, hands it over at the end of its turn, and gets an empty
/// one back when the shard has read it. So a lock is taken once a batch, and in a steady state nothing is allocated.
final class ShardQueue: Sendable {
    private struct State {
        var filled: ContiguousArray<MessageBatch> = []
        var empty: ContiguousArray<MessageBatch> = []
        /// Bytes that wait, with those that the shard is reading.
        var bytes = 0
        /// The shard sleeps until it is told.
        var isArmed = false
    }

    /// Bytes that may wait for one shard. Beyond it the publisher drops and counts.
    static let capacity = 64 << 20
    /// Empty batches that are kept; more are from a burst that is over.
    private static let spare = 4

    let shard: UInt8
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

    init(shard: UInt8) { self.shard = shard }

    // MARK: Publisher

    /// A batch with room for so many bytes, or nil when too much waits already: the last one that was handed over, if the
    /// shard has not come for it yet, so that a shard that is late finds few full batches and not many with a message each.
    func batch(for size: Int) -> MessageBatch? {
        let (batch, isFull) = state.withLock { state -> (MessageBatch?, Bool) in
            if let last = state.filled.last, last.capacity - last.used >= size {
                state.filled.removeLast()
                state.bytes -= last.used
                return (last, false)
            }
            guard state.bytes + size <= ShardQueue.capacity else { return (nil, true) }
            return (size <= MessageBatch.standard ? state.empty.popLast() : nil, false)
        }
        if isFull { return nil }
        return batch ?? MessageBatch(capacity: max(size, MessageBatch.standard))
    }

    /// Hands a batch over, and tells the shard if it sleeps.
    func push(_ batch: MessageBatch) {
        let isAsleep = state.withLock { state in
            state.filled.append(batch)
            state.bytes += batch.used
            defer { state.isArmed = false }
            return state.isArmed
        }
        if isAsleep { signal.withLock { $0?.call() } }
    }

    // MARK: Shard

    /// Everything that has been handed over, in place of what `batches` held: batches that have been read.
    func exchange(_ batches: inout ContiguousArray<MessageBatch>) {
        state.withLock { state in
            for batch in batches {
                state.bytes -= batch.used
                batch.clear()
                if state.empty.count < ShardQueue.spare, batch.capacity == MessageBatch.standard {
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

    /// The shard has nothing more to read; it is told when there is.
    func arm() {
        let isLate = state.withLock { state in
            state.isArmed = state.filled.isEmpty
            return !state.isArmed
        }
        if isLate { signal.withLock { $0?.call() } }
    }
}

/// Messages one behind the other in one piece of memory. Owned by one thread at a time: ``ShardQueue`` passes it on.
final class MessageBatch: @unchecked Sendable {
    // Unchecked: whoever holds it has got it under the queue's lock and gives it back under that lock, and nobody keeps it
    // afterwards.

    /// Bytes of a batch, unless one message is larger. About a turn of the publisher's.
    static let standard = 64 << 10
    /// A header: the message's size, the length of what comes first, and the route with its mark (``RouteKey/wireSize``).
    private static let header = 8 + RouteKey.wireSize

    let capacity: Int
    private(set) var used = 0
    private var read = 0
    private let memory: UnsafeMutableRawPointer

    init(capacity: Int) {
        self.capacity = capacity
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { memory.deallocate() }

    func clear() { (used, read) = (0, 0) }

    private static func rounded(_ size: Int) -> Int { (size + 7) & ~7 }

    /// What a message takes.
    static func size(payload: Int, user: Int = 0) -> Int { header + rounded(payload + user) }

    /// Adds one message; false when it does not fit any more.
    @inline(__always)
    func append(_ key: RouteKey, isSnapshot: Bool, _ payload: UnsafeRawBufferPointer) -> Bool {
        guard let place = reserve(payload.count, user: 0) else { return false }
        key.write(to: place + 8, shard: isSnapshot ? 1 : 0)
        if let source = payload.baseAddress { (place + Self.header).copyMemory(from: source, byteCount: payload.count) }
        return true
    }

    /// Adds an order update; the mode of its route is 0, which no mode is.
    func append(user: String, _ payload: UnsafeRawBufferPointer) -> Bool {
        var user = user
        return user.withUTF8 { name in
            guard let place = reserve(payload.count, user: name.count) else { return false }
            (place + 8).initializeMemory(as: UInt8.self, repeating: 0, count: RouteKey.wireSize)
            if let source = name.baseAddress { (place + Self.header).copyMemory(from: source, byteCount: name.count) }
            if let source = payload.baseAddress {
                (place + Self.header + name.count).copyMemory(from: source, byteCount: payload.count)
            }
            return true
        }
    }

    private func reserve(_ payload: Int, user: Int) -> UnsafeMutableRawPointer? {
        let size = Self.size(payload: payload, user: user)
        guard used + size <= capacity else { return nil }
        let place = memory + used
        place.storeBytes(of: UInt32(payload + user), as: UInt32.self)
        place.storeBytes(of: UInt32(user), toByteOffset: 4, as: UInt32.self)
        used += size
        return place
    }

    /// Hands over the next message; false at the end.
    @inline(__always)
    func next(_ body: (BusEvent) -> Void) -> Bool {
        guard read < used else { return false }
        let place = UnsafeRawPointer(memory + read)
        let length = Int(place.load(as: UInt32.self))
        let user = Int(place.load(fromByteOffset: 4, as: UInt32.self))
        read += Self.header + Self.rounded(length)
        let bytes = UnsafeRawBufferPointer(start: place + Self.header, count: length)
        let route = UnsafeRawBufferPointer(start: place + 8, count: RouteKey.wireSize)
        if let (mark, key) = RouteKey.read(route) {
            body(.data(key, snapshot: mark == 1, payload: bytes))
        } else {
            body(
                .order(
                    user: String(decoding: bytes.prefix(user), as: UTF8.self),
                    payload: UnsafeRawBufferPointer(rebasing: bytes.dropFirst(user))))
        }
        return true
    }
}
