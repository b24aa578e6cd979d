import CFeedhostABI
import Synchronization
import Testing

@testable import MarketBus
@testable import TickRing

@Suite struct TickRingTests {
    private func header(_ length: Int) -> TickRing.Header {
        TickRing.Header(size: 0, kind: 2, bids: 0, asks: 0, instrument: 1, length: UInt32(length), mode: 0)
    }

    @Test func keepsOrderOverManyWraps() {
        let ring = TickRing(capacity: 1024)
        var next = 0
        var read = 0
        for round in 0..<10_000 {
            let size = 1 + round % 200
            let taken = ring.push(header(size), bytes: size) { place in
                for index in 0..<size {
                    place.storeBytes(of: UInt8(truncatingIfNeeded: next &+ index), toByteOffset: index, as: UInt8.self)
                }
            }
            if taken { next += 1 }
            if !taken || round % 3 == 0 {
                _ = ring.drain(limit: 2) { header, body in
                    let bytes = UnsafeRawBufferPointer(start: body, count: Int(header.length))
                    #expect(bytes.first == UInt8(truncatingIfNeeded: read))
                    #expect(bytes.last == UInt8(truncatingIfNeeded: read &+ bytes.count - 1))
                    read += 1
                }
            }
        }
        #expect(next > 5_000)
    }

    @Test func aFullRingRefuses() {
        let ring = TickRing(capacity: 1024)
        var taken = 0
        while ring.push(header(100), bytes: 100, { _ in }) { taken += 1 }
        #expect(taken == 8)
        #expect(ring.isCrowded)
        #expect(ring.drain(limit: 100) { _, _ in } == 8)
        #expect(ring.isEmpty)
        #expect(ring.push(header(100), bytes: 100) { _ in })
    }

    /// A producer and a consumer at full speed: nothing lost, nothing torn, nothing out of order.
    @Test func twoThreads() async {
        let ring = TickRing(capacity: 1 << 14)
        let total = 200_000
        async let produced: Void = Task.detached {
            var sent = 0
            while sent < total {
                let value = UInt64(sent)
                let taken = ring.push(self.header(16), bytes: 16) { place in
                    place.storeBytes(of: value, as: UInt64.self)
                    place.storeBytes(of: ~value, toByteOffset: 8, as: UInt64.self)
                }
                if taken { sent += 1 } else { await Task.yield() }
            }
        }.value
        let wrong = await Task.detached {
            var expected: UInt64 = 0
            var wrong = 0
            while expected < UInt64(total) {
                let count = ring.drain(limit: 64) { _, body in
                    if body.load(as: UInt64.self) != expected
                        || body.load(fromByteOffset: 8, as: UInt64.self) != ~expected
                    {
                        wrong += 1
                    }
                    expected += 1
                }
                if count == 0 { await Task.yield() }
            }
            return wrong
        }.value
        await produced
        #expect(wrong == 0)
    }

    // MARK: As large as it has to be

    private static let page = 4096

    private func fill(_ ring: TickRing, bytes: Int, from first: UInt64 = 0) -> UInt64 {
        var next = first
        while ring.push(header(bytes), bytes: bytes, { $0.storeBytes(of: next, as: UInt64.self) }) { next += 1 }
        return next
    }

    /// Reads everything, which must be the numbers from `first` on.
    private func read(_ ring: TickRing, from first: UInt64) -> UInt64 {
        var next = first
        while true {
            let count = ring.drain(limit: 100) { _, body in
                #expect(body.load(as: UInt64.self) == next)
                next += 1
            }
            if count == 0 { return next }
        }
    }

    @Test func aFeedThatIsReadInTimeStaysInItsFirstPart() {
        let ring = TickRing(capacity: 4 << 20)
        var next: UInt64 = 0
        // A tick without a book, ten megabytes of them.
        for _ in 0..<50_000 {
            #expect(ring.push(header(216), bytes: 216) { $0.storeBytes(of: next, as: UInt64.self) })
            if next % 30 == 29 { #expect(ring.drain(limit: 100) { _, _ in } == 30) }
            next += 1
        }
        #expect(ring.resident <= TickRing.firstPart + Self.page)
    }

    @Test(arguments: [16, 100, 216, 9_000, 64 << 10])
    func aBurstThatFittedIntoOneRingFits(bytes: Int) {
        let ring = TickRing(capacity: 4 << 20)
        let size = (24 + bytes + 7) & ~7
        // Before anything, and again from the midst of all parts.
        var next: UInt64 = 0
        for _ in 0..<3 {
            let end = fill(ring, bytes: bytes, from: next)
            #expect(Int(end - next) >= (4 << 20) / size - 1)
            #expect(ring.isCrowded)
            next = read(ring, from: next)
            #expect(next == end)
            #expect(!ring.isCrowded && ring.isEmpty)
        }
    }

    @Test func whatABurstHasTakenIsGivenBack() {
        let ring = TickRing(capacity: 4 << 20)
        var next = fill(ring, bytes: 216)
        #expect(ring.resident > 4 << 20)
        next = read(ring, from: 0)
        // Calm again: two megabytes in small portions.
        var first = next
        for round in 0..<10_000 {
            #expect(ring.push(header(216), bytes: 216) { $0.storeBytes(of: next, as: UInt64.self) })
            next += 1
            if round % 10 == 9 { first = read(ring, from: first) }
        }
        #expect(ring.resident <= TickRing.firstPart + Self.page)
        // And it takes the next burst as the first.
        let end = fill(ring, bytes: 216, from: next)
        #expect(Int(end - next) >= (4 << 20) / 240 - 1)
        #expect(read(ring, from: next) == end)
    }

    /// A consumer that comes late finds the jumps of many growths and returns, in order.
    @Test(arguments: [1, 2, 3, 20_261_201] as [UInt64]) func anyRhythmKeepsOrder(seed: UInt64) {
        var generator = Numbers(state: seed)
        let ring = TickRing(capacity: 1 << 18)
        var next: UInt64 = 0
        var expected: UInt64 = 0
        for _ in 0..<20_000 {
            let burst = generator.next() % 100 == 0 ? 3_000 : Int(generator.next() % 60)
            for _ in 0..<burst {
                let size = 8 + Int(generator.next() % 400)
                if ring.push(header(size), bytes: size, { $0.storeBytes(of: next, as: UInt64.self) }) { next += 1 }
            }
            _ = ring.drain(limit: Int(generator.next() % 120)) { _, body in
                #expect(body.load(as: UInt64.self) == expected, "seed \(seed)")
                expected += 1
            }
        }
        #expect(read(ring, from: expected) == next, "seed \(seed)")
        #expect(next > 100_000)
    }

    /// The same with two threads: bursts that outgrow the first parts, and a consumer that stops now and then.
    @Test func twoThreadsGrowAndReturn() async {
        let ring = TickRing(capacity: 1 << 18)
        let total = 300_000
        async let produced: Void = Task.detached {
            var sent = 0
            while sent < total {
                let value = UInt64(sent)
                let size = 16 + sent % 300
                let taken = ring.push(self.header(size), bytes: size) { place in
                    place.storeBytes(of: value, as: UInt64.self)
                    place.storeBytes(of: ~value, toByteOffset: 8, as: UInt64.self)
                }
                if taken { sent += 1 }
                if !taken || sent % 5_000 < 3 { await Task.yield() }
            }
        }.value
        let wrong = await Task.detached {
            var expected: UInt64 = 0
            var wrong = 0
            while expected < UInt64(total) {
                let count = ring.drain(limit: expected % 7 == 0 ? 4_000 : 50) { _, body in
                    if body.load(as: UInt64.self) != expected
                        || body.load(fromByteOffset: 8, as: UInt64.self) != ~expected
                    {
                        wrong += 1
                    }
                    expected += 1
                }
                if count < 50 { await Task.yield() }
            }
            return wrong
        }.value
        await produced
        #expect(wrong == 0)
    }

    /// SeededNumbers64.
    private struct Numbers {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
