import AdapterKit
import AdapterTestKit
import Testing

@Suite struct IntegerMapTests {
    @Test func findsAndForgets() {
        let map = IntegerMap<Int>(capacity: 1)
        for number in 1...1_000 { map[UInt64(number)] = number }
        #expect(map.count == 1_000)
        for number in stride(from: 2, through: 1_000, by: 2) { map[UInt64(number)] = nil }
        map[1] = -1
        map[5_000] = nil
        #expect(map.count == 500)
        for number in 1...1_000 {
            #expect(map[UInt64(number)] == (number % 2 == 0 ? nil : number == 1 ? -1 : number))
        }
        map.removeAll()
        #expect(map.count == 0 && map[3] == nil)
        map[3] = 4
        #expect(map.count == 1 && map[3] == 4)
    }

    @Test func zeroIsNoKey() {
        let map = IntegerMap<UInt8>()
        map[0] = 7
        #expect(map[0] == nil && map.count == 0)
        map[0] = nil
        map[.max] = 9
        #expect(map[.max] == 9 && map[0] == nil && map.count == 1)
    }

    /// Keys as brokers make them: one segment in the low byte, one in the high byte, exchanges in the upper half.
    @Test(
        arguments: [
            { $0 << 8 | 1 }, { 1 << 56 | $0 }, { 0x45_534E << 32 | $0 }, { $0 << 32 }, { $0 << 56 | $0 },
        ] as [@Sendable (UInt64) -> UInt64])
    func takesEveryPattern(key: @Sendable (UInt64) -> UInt64) {
        let map = IntegerMap<UInt64>()
        for number in 1...3_000 as ClosedRange<UInt64> { map[key(number)] = number }
        for number in 1...3_000 as ClosedRange<UInt64> { #expect(map[key(number)] == number) }
        #expect(map[key(3_001)] == nil && map.count == 3_000)
    }

    /// A dictionary is asked the same questions. Few keys, so that they meet; many removals, so that holes close.
    @Test func agreesWithADictionary() {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededNumbers(seed: seed)
        for _ in 0..<20 {
            let map = IntegerMap<Int32>(capacity: .random(in: 1...100, using: &random))
            var dictionary: [UInt64: Int32] = [:]
            let keys = (0..<120).map { _ in
                UInt64.random(in: 1...400, using: &random) << UInt64.random(in: 0...50, using: &random)
            }
            for step in 0..<2_000 as Range<Int32> {
                let key = keys[Int.random(in: 0..<keys.count, using: &random)]
                let value = Bool.random(using: &random) ? step : nil
                map[key] = value
                dictionary[key] = value
                #expect(map.count == dictionary.count, "seed \(seed)")
            }
            for key in keys { #expect(map[key] == dictionary[key], "seed \(seed)") }
            #expect(map.keys.sorted() == dictionary.keys.sorted(), "seed \(seed)")
        }
    }
}
