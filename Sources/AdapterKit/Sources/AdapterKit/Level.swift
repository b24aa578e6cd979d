import CFeedhostABI

/// One price level of an order book, as the host reads it.
public struct Level: Sendable {
    @usableFromInline var record: fh_level

    /// A level of `quantity` at `price`; both are mantissas at the exponents of the tick that the book belongs to.
    @inlinable
    public init(price: Int64, quantity: Int64, orders: UInt32 = 0) {
        record = fh_level(px: price, qty: quantity, orders: orders, reserved: 0)
    }

    /// Price mantissa.
    @inlinable
    public var price: Int64 {
        get { record.px }
        set { record.px = newValue }
    }

    /// Quantity mantissa.
    @inlinable
    public var quantity: Int64 {
        get { record.qty }
        set { record.qty = newValue }
    }

    /// Number of orders; 0 when the broker does not say.
    @inlinable
    public var orders: UInt32 {
        get { record.orders }
        set { record.orders = newValue }
    }
}

/// One side of an order book, best level first, in memory that is used again and again.
///
/// ```swift
/// bids.removeAll()
/// bids.append(Level(price: 118_770, quantity: 50))
/// try host.publish(tick, bids: bids, asks: asks)
/// ```
public final class LevelBuffer {
    @usableFromInline let storage: UnsafeMutablePointer<Level>
    // Behind a pointer, because a stored variable of a class is guarded against overlapping access each time it is
    // touched.
    @usableFromInline let used: UnsafeMutablePointer<Int>
    /// The most levels that fit.
    public let capacity: Int

    /// Room for `capacity` levels, 1 to 200.
    public init(capacity: Int) {
        self.capacity = min(max(1, capacity), 200)
        storage = .allocate(capacity: self.capacity)
        used = .allocate(capacity: 1)
        used.initialize(to: 0)
    }

    deinit {
        storage.deallocate()
        used.deallocate()
    }

    /// How many levels there are.
    @inlinable
    public var count: Int { used.pointee }

    /// Forgets all levels; the memory stays.
    @inlinable
    public func removeAll() {
        used.pointee = 0
    }

    /// Adds a level behind the others; `false` if there is no room.
    @inlinable
    @discardableResult
    public func append(_ level: Level) -> Bool {
        let count = used.pointee
        guard count < capacity else { return false }
        (storage + count).initialize(to: level)
        used.pointee = count &+ 1
        return true
    }

    /// The best level as a tick has it: withdrawn if the side is empty.
    @inlinable
    public var top: BookTop {
        count > 0 ? BookTop(price: storage[0].price, quantity: storage[0].quantity) : .withdrawn
    }

    /// The level at `index`, which has to be below ``count``.
    @inlinable
    public subscript(index: Int) -> Level {
        get {
            precondition(index >= 0 && index < count, "no such level")
            return storage[index]
        }
        set {
            precondition(index >= 0 && index < count, "no such level")
            storage[index] = newValue
        }
    }

    /// The first `limit` levels as the host reads them.
    func records(limit: Int) -> (UnsafePointer<fh_level>, UInt32) {
        // A struct with one stored property has the layout of that property.
        let start = UnsafeRawPointer(storage).assumingMemoryBound(to: fh_level.self)
        return (start, UInt32(min(count, max(0, limit))))
    }
}
