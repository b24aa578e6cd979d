/// From an instrument's key to its line: open addressing over two flat arrays, nothing allocated in a look-up.
struct KeyMap {
    // A power of two, at most half of them used; 0 is a free place.
    private var keys: ContiguousArray<UInt64> = ContiguousArray(repeating: 0, count: 64)
    private var values: ContiguousArray<Int32> = ContiguousArray(repeating: 0, count: 64)
    private var used = 0

    /// The line of `key`, or nil.
    @inline(__always)
    subscript(key: InstrumentKey) -> Int? {
        let mask = keys.count &- 1
        var place = Self.home(key.rawValue, mask)
        while true {
            let found = keys[place]
            if found == key.rawValue { return Int(values[place]) }
            if found == 0 { return nil }
            place = (place &+ 1) & mask
        }
    }

    /// Adds a key that is not there yet.
    mutating func insert(_ key: InstrumentKey, _ value: Int) {
        if (used + 1) * 2 > keys.count { grow() }
        place(key.rawValue, Int32(value))
        used += 1
    }

    /// Removes a key; the keys behind it move up, so that no look-up ends too early.
    mutating func remove(_ key: InstrumentKey) {
        let mask = keys.count - 1
        var hole = Self.home(key.rawValue, mask)
        while keys[hole] != key.rawValue {
            if keys[hole] == 0 { return }
            hole = (hole + 1) & mask
        }
        used -= 1
        var next = hole
        while true {
            next = (next + 1) & mask
            guard keys[next] != 0 else { break }
            let distance = (next - Self.home(keys[next], mask)) & mask
            guard distance >= (next - hole) & mask else { continue }
            keys[hole] = keys[next]
            values[hole] = values[next]
            hole = next
        }
        keys[hole] = 0
    }

    mutating func removeAll() {
        self = KeyMap()
    }

    private mutating func grow() {
        let old = (keys, values)
        keys = ContiguousArray(repeating: 0, count: old.0.count * 2)
        values = ContiguousArray(repeating: 0, count: old.0.count * 2)
        for (key, value) in zip(old.0, old.1) where key != 0 { place(key, value) }
    }

    private mutating func place(_ key: UInt64, _ value: Int32) {
        let mask = keys.count - 1
        var place = Self.home(key, mask)
        while keys[place] != 0 { place = (place + 1) & mask }
        keys[place] = key
        values[place] = value
    }

    /// Fibonacci hashing: neighbouring tokens, the usual case, are spread over the table.
    @inline(__always)
    private static func home(_ key: UInt64, _ mask: Int) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }
}
