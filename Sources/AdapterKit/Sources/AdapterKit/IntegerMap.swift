/// A table from a broker's token, or another whole number, to a value, looked up without allocating.
///
/// For tokens that are numbers on the wire, or that pack into one; ``BytesMap`` is for text. Fill it when instruments are
/// subscribed and ask it once a frame:
///
/// ```swift
/// let handles = IntegerMap<UInt32>()
/// handles[408_065] = request.handle
/// if let handle = handles[token] { … }
/// ```
///
/// 0 is no key: it has no value, and setting one does nothing. Not for use from several threads.
public final class IntegerMap<Value: BitwiseCopyable> {
    @usableFromInline
    struct Slot {
        /// 0 in a free slot, whose value is not to be read.
        @usableFromInline var key: UInt64
        @usableFromInline var value: Value

        @inlinable
        init(key: UInt64, value: Value) {
            self.key = key
            self.value = value
        }
    }

    // Open addressing with linear probing; the number of slots is a power of two and at most half are used.
    @usableFromInline
    struct Table {
        @usableFromInline var slots: UnsafeMutablePointer<Slot>
        @usableFromInline var mask: Int
        /// What is left of a hash of 64 bits when it is a place.
        @usableFromInline var shift: UInt64
        @usableFromInline var count = 0

        @inlinable
        init(bits: Int) {
            let size = MemoryLayout<Slot>.stride << bits
            let memory = UnsafeMutableRawPointer.allocate(
                byteCount: size, alignment: MemoryLayout<Slot>.alignment)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            slots = memory.bindMemory(to: Slot.self, capacity: 1 << bits)
            mask = 1 << bits - 1
            shift = UInt64(64 - bits)
        }

        /// Fibonacci hashing: the multiplier is 2^64 divided by the golden ratio, and the top bits are the best mixed.
        /// Neighbouring tokens, and those that differ in their upper bytes only, are spread over the table.
        @inlinable
        @inline(__always)
        func home(_ key: UInt64) -> Int {
            Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> shift)
        }

        /// The slot of `key`, which is not 0, or the free one where it would go. Half are free, so the search ends.
        @inlinable
        @inline(__always)
        func find(_ key: UInt64) -> UnsafeMutablePointer<Slot> {
            var place = home(key)
            while slots[place].key != key, slots[place].key != 0 { place = (place &+ 1) & mask }
            return slots + place
        }
    }

    // Behind a pointer, as in ``LevelBuffer``: this is touched for every tick.
    @usableFromInline let table: UnsafeMutablePointer<Table>
    @usableFromInline let startBits: Int

    /// An empty table with room for `capacity` keys, at least 1; with more it grows.
    @inlinable
    public init(capacity: Int = 32) {
        startBits = Int.bitWidth - (max(1, capacity) * 2 - 1).leadingZeroBitCount
        table = .allocate(capacity: 1)
        table.initialize(to: Table(bits: startBits))
    }

    @inlinable
    deinit {
        table.pointee.slots.deallocate()
        table.deallocate()
    }

    /// How many keys there are.
    @inlinable
    public var count: Int { table.pointee.count }

    /// All keys, in no order.
    @inlinable
    public var keys: [UInt64] {
        (0...table.pointee.mask).compactMap { place in
            let key = table.pointee.slots[place].key
            return key == 0 ? nil : key
        }
    }

    /// The value of a key; setting `nil` removes it.
    @inlinable
    public subscript(key: UInt64) -> Value? {
        @inline(__always)
        get {
            guard key != 0 else { return nil }
            let slots = table.pointee.slots
            var place = table.pointee.home(key)
            // Nearly always the first one is it. Half of the slots are free, so the search ends.
            while slots[place].key != key {
                if slots[place].key == 0 { return nil }
                place = (place &+ 1) & table.pointee.mask
            }
            return slots[place].value
        }
        set {
            guard key != 0 else { return }
            if let newValue { set(key, newValue) } else { remove(key) }
        }
    }

    /// Forgets every key.
    @inlinable
    public func removeAll() {
        table.pointee.slots.deallocate()
        table.pointee = Table(bits: startBits)
    }

    @inlinable
    func set(_ key: UInt64, _ value: Value) {
        var slot = table.pointee.find(key)
        if slot.pointee.key == 0 {
            if (count + 1) * 2 > table.pointee.mask + 1 {
                grow()
                slot = table.pointee.find(key)
            }
            table.pointee.count += 1
        }
        slot.initialize(to: Slot(key: key, value: value))
    }

    @inlinable
    func remove(_ key: UInt64) {
        let (slots, mask) = (table.pointee.slots, table.pointee.mask)
        var hole = table.pointee.find(key) - slots
        guard slots[hole].key == key else { return }
        table.pointee.count -= 1
        // A hole would end the probing of keys behind it: each of them that may stand here moves up.
        var next = (hole + 1) & mask
        while slots[next].key != 0 {
            let home = table.pointee.home(slots[next].key)
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole].key = 0
    }

    @inlinable
    func grow() {
        let old = table.pointee
        table.pointee = Table(bits: (old.mask + 1).trailingZeroBitCount + 1)
        table.pointee.count = old.count
        for place in 0...old.mask where old.slots[place].key != 0 {
            table.pointee.find(old.slots[place].key).initialize(to: old.slots[place])
        }
        old.slots.deallocate()
    }
}
