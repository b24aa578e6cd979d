/// Finds rows by a hash: open addressing with linear probing over row numbers, 4 bytes a slot.
///
/// The keys stay in the rows; whoever asks brings the comparison.
struct SlotTable: Sendable {
    /// Row number plus one; 0 is free.
    private var slots: [UInt32]
    private let mask: Int

    /// - Parameter rows: At the most; at least a quarter of the slots stays free.
    init(rows: Int) {
        var capacity = 16
        while capacity * 3 < rows * 4 { capacity *= 2 }
        slots = Array(repeating: 0, count: capacity)
        mask = capacity - 1
    }

    /// Adds a row unless one with the same key is there: the first one stays.
    mutating func insert(_ row: Int, hash: UInt64, isSame: (Int) -> Bool) {
        var at = Int(truncatingIfNeeded: hash) & mask
        while slots[at] != 0 {
            if isSame(Int(slots[at]) - 1) { return }
            at = (at + 1) & mask
        }
        slots[at] = UInt32(truncatingIfNeeded: row + 1)
    }

    @inline(__always)
    func find(hash: UInt64, isSame: (Int) -> Bool) -> Int? {
        slots.withUnsafeBufferPointer { slots in
            var at = Int(truncatingIfNeeded: hash) & mask
            while slots[at] != 0 {
                let row = Int(slots[at]) - 1
                if isSame(row) { return row }
                at = (at + 1) & mask
            }
            return nil
        }
    }

    /// FNV-1a over the text, then mixed: its low bits alone are poor.
    @inline(__always)
    static func hash(_ word: UInt16, _ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(word)
        hash &*= 0x100_0000_01B3
        for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash ^= hash >> 32
        hash &*= 0xD6E8_FEB8_6659_FD93
        return hash ^ (hash >> 32)
    }
}
