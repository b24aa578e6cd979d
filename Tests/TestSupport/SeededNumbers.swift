import Foundation

/// SplitMix64: the same numbers for the same seed, everywhere.
package struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// A fresh seed, or that of `FEEDHOST_FUZZ_SEED`; printed, so that a failure can be repeated.
    package static func announced(_ what: String) -> SeededNumbers { SeededNumbers(seed: announcedSeed(what)) }

    /// The same for tests that need a seed for each of many rounds.
    package static func announcedSeed(_ what: String) -> UInt64 {
        let given = ProcessInfo.processInfo.environment["FEEDHOST_FUZZ_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 1...UInt64.max)
        print("\(what): FEEDHOST_FUZZ_SEED=\(seed)")
        return seed
    }

    /// So many, or as many as `FEEDHOST_FUZZ` says.
    package static func rounds(_ usual: Int) -> Int {
        ProcessInfo.processInfo.environment["FEEDHOST_FUZZ"].flatMap { Int($0) } ?? usual
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    package mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &self)]
    }

    /// Bytes that were once sensible.
    package mutating func spoiled(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...4, using: &self) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &self)
            switch Int.random(in: 0..<5, using: &self) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &self)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
            case 3: bytes.removeSubrange(index...)
            default: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            }
        }
        return bytes
    }

    /// The bytes in pieces, as a network would cut them.
    package mutating func pieces(_ bytes: [UInt8], upTo most: Int = 30) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let length = Int.random(in: 1...min(rest.count, most), using: &self)
            pieces.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return pieces
    }
}
