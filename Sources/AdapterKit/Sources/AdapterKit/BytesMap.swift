/// A table from a broker's token or symbol to a value, looked up by borrowed bytes without allocating.
///
/// Fill it when instruments are subscribed and ask it once a frame:
///
/// ```swift
/// var handles = BytesMap<UInt32>()
/// handles["btcusdt"] = request.handle
/// if let handle = handles[symbolBytes] { … }
/// ```
public struct BytesMap<Value> {
    @usableFromInline
    struct Slot {
        @usableFromInline var hash: UInt64
        @usableFromInline var key: [UInt8]
        @usableFromInline var value: Value

        @usableFromInline
        init(hash: UInt64, key: [UInt8], value: Value) {
            self.hash = hash
            self.key = key
            self.value = value
        }
    }

    // Open addressing with linear probing; the number of slots is a power of two and at most half are used.
    @usableFromInline var slots: [Slot?] = Array(repeating: nil, count: 16)
    /// How many keys there are.
    public private(set) var count = 0

    /// An empty table.
    public init() {}

    /// The value of a borrowed key.
    @inlinable
    public subscript(key: Bytes) -> Value? {
        let hash = Self.hash(key.buffer)
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while let slot = slots[place] {
            if slot.hash == hash, slot.key.count == key.count,
                slot.key.withUnsafeBufferPointer({ Bytes($0) == key })
            {
                return slot.value
            }
            place = (place + 1) & mask
        }
        return nil
    }

    /// The value of a key that you own; setting `nil` removes it.
    public subscript(key: String) -> Value? {
        get {
            var key = key
            return key.withUTF8 { self[Bytes($0)] }
        }
        set {
            let bytes = Array(key.utf8)
            remove(bytes)
            if let newValue { insert(bytes, newValue) }
        }
    }

    /// Forgets every key.
    public mutating func removeAll() {
        self = BytesMap()
    }

    private mutating func insert(_ key: [UInt8], _ value: Value) {
        if (count + 1) * 2 > slots.count { rebuild(capacity: slots.count * 2) }
        place(Slot(hash: key.withUnsafeBufferPointer { Self.hash($0) }, key: key, value: value))
        count += 1
    }

    private mutating func remove(_ key: [UInt8]) {
        let mask = slots.count - 1
        var hole = Int(truncatingIfNeeded: key.withUnsafeBufferPointer { Self.hash($0) }) & mask
        while let slot = slots[hole], slot.key != key { hole = (hole + 1) & mask }
        guard slots[hole] != nil else { return }
        slots[hole] = nil
        count -= 1
        // A hole would end the probing of keys behind it: each of them that may stand here moves up.
        var next = (hole + 1) & mask
        while let slot = slots[next] {
            let home = Int(truncatingIfNeeded: slot.hash) & mask
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slot
                slots[next] = nil
                hole = next
            }
            next = (next + 1) & mask
        }
    }

    private mutating func rebuild(capacity: Int) {
        let old = slots
        slots = Array(repeating: nil, count: capacity)
        for slot in old {
            if let slot { place(slot) }
        }
    }

    private mutating func place(_ slot: Slot) {
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: slot.hash) & mask
        while slots[place] != nil { place = (place + 1) & mask }
        slots[place] = slot
    }

    /// FNV-1a: short keys, no state, good enough against chance. Keys are the host's own, not a stranger's.
    @inlinable
    static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return hash ^ (hash >> 32)
    }
}
