/// A fixed number of updates that go to the host in one call, for sources that produce many at once.
///
/// ```swift
/// for … { batch.append(tick, to: host) }  // hands over whenever it is full
/// batch.flush(to: host)
/// ```
public final class TickBatch {
    @usableFromInline let storage: UnsafeMutablePointer<Tick>
    /// The most updates that are held back.
    public let capacity: Int
    // Behind a pointer, as in ``LevelBuffer``: this is touched for every tick.
    @usableFromInline let used: UnsafeMutablePointer<Int>

    /// Room for `capacity` updates, at least one.
    public init(capacity: Int = 64) {
        self.capacity = max(1, capacity)
        storage = .allocate(capacity: self.capacity)
        used = .allocate(capacity: 1)
        used.initialize(to: 0)
    }

    deinit {
        storage.deallocate()
        used.deallocate()
    }

    /// Adds an update; a full batch is handed over.
    @inlinable
    public func append(_ tick: borrowing Tick, to host: Host) {
        (storage + used.pointee).initialize(to: copy tick)
        used.pointee &+= 1
        if used.pointee == capacity { flush(to: host) }
    }

    /// Hands over what is held back.
    @inlinable
    public func flush(to host: Host) {
        guard used.pointee > 0 else { return }
        host.publish(UnsafeBufferPointer(start: storage, count: used.pointee))
        used.pointee = 0
    }
}
