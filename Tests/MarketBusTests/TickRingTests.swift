import CFeedhostABI
import Synchronization
import Testing

@testable import MarketBus

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
}
