/// From the name of a member to the number of its field: open addressing over packed names.
final class KeyTable {
    /// Of a name that is not in the table.
    static let unknown = UInt8.max

    private let slots: UnsafeMutablePointer<(key: UInt64, field: UInt8)>
    private static let capacity = 256

    /// Names of one to eight bytes.
    init(_ names: [(name: String, field: UInt8)]) {
        slots = .allocate(capacity: Self.capacity)
        slots.initialize(repeating: (0, Self.unknown), count: Self.capacity)
        for (name, field) in names.prefix(Self.capacity / 2) {
            let key = PackedText.pack(name)
            var place = Self.place(of: key)
            while slots[place].key != 0 { place = (place &+ 1) % Self.capacity }
            slots[place] = (key, field)
        }
    }

    deinit {
        slots.deallocate()
    }

    /// The field called `key`, packed.
    @inline(__always)
    subscript(key: UInt64) -> UInt8 {
        var place = Self.place(of: key)
        while slots[place].key != key {
            // An empty slot ends the search; there always is one.
            if slots[place].key == 0 { return Self.unknown }
            place = (place &+ 1) % Self.capacity
        }
        return slots[place].field
    }

    @inline(__always)
    private static func place(of key: UInt64) -> Int {
        // The multiplier is 2^64 divided by the golden ratio; the top byte is the best mixed.
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 56)
    }
}
