/// SplitMix64: tiny, fast, and good enough for prices that only have to look alive.
struct RandomSource {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// A source for one instrument, so that its numbers do not depend on which others are subscribed.
    init(seed: UInt64, instrument: String, purpose: UInt64) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ purpose
        for byte in instrument.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        state = seed &* 0x9E37_79B9_7F4A_7C15 ^ hash
        _ = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A whole number from 0 up to, not including, `limit`.
    mutating func next(below limit: Int64) -> Int64 {
        Int64((next() >> 33) % UInt64(max(1, limit)))
    }
}
