/// From a ``ScripKey`` to the place of its scrip: open addressing with linear probing, at most half full.
///
/// Looked up for every tick, changed when instruments come and go.
final class ScripMap {
    private typealias Slots = UnsafeMutablePointer<(key: UInt64, place: Int32)>
    // Behind a pointer, because a stored variable of a class is guarded against overlapping access each time it is
    // touched.
    private let table: UnsafeMutablePointer<(slots: Slots, mask: Int)>
    private(set) var count = 0

    init() {
        table = .allocate(capacity: 1)
        table.initialize(to: (Self.allocate(64), 63))
    }

    deinit {
        table.pointee.slots.deallocate()
        table.deallocate()
    }

    private var slots: Slots { table.pointee.slots }
    private var mask: Int { table.pointee.mask }

    /// The place of `key`, or −1.
    @inline(__always)
    subscript(key: UInt64) -> Int {
        let slots = slots
        let mask = mask
        var slot = Self.hash(key) & mask
        // Half of the slots are empty, so the search ends.
        while slots[slot].place >= 0 {
            if slots[slot].key == key { return Int(slots[slot].place) }
            slot = (slot &+ 1) & mask
        }
        return -1
    }

    /// Adds a key that is not there yet.
    func insert(_ key: UInt64, at place: Int) {
        if (count + 1) * 2 > mask + 1 { grow() }
        store(key, Int32(place))
        count += 1
    }

    /// Removes a key; the ones behind it move up, so that no search ends early.
    func remove(_ key: UInt64) {
        var hole = Self.hash(key) & mask
        while slots[hole].place >= 0, slots[hole].key != key { hole = (hole + 1) & mask }
        guard slots[hole].place >= 0 else { return }
        count -= 1
        var next = (hole + 1) & mask
        while slots[next].place >= 0 {
            let home = Self.hash(slots[next].key) & mask
            // It may move if its home is not between the hole and where it is now.
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole].place = -1
    }

    func removeAll() {
        slots.deallocate()
        table.pointee = (Self.allocate(64), 63)
        count = 0
    }

    private func grow() {
        let old = UnsafeMutableBufferPointer(start: slots, count: mask + 1)
        table.pointee = (Self.allocate(old.count * 2), old.count * 2 - 1)
        for slot in old where slot.place >= 0 { store(slot.key, slot.place) }
        old.deallocate()
    }

    private func store(_ key: UInt64, _ place: Int32) {
        var slot = Self.hash(key) & mask
        while slots[slot].place >= 0 { slot = (slot + 1) & mask }
        slots[slot] = (key, place)
    }

    private static func allocate(_ count: Int) -> Slots {
        let slots = Slots.allocate(capacity: count)
        slots.initialize(repeating: (0, -1), count: count)
        return slots
    }

    @inline(__always)
    private static func hash(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }
}
