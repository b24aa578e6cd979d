import MarketData
import Synchronization
import Testing

@testable import MarketBus

@Suite struct ReaderQueueTests {
    /// A closure that is kept in a generic container gains a wrapper each time that it is reached: memory and stack.
    @Test func signallingCostsTheSameForEver() {
        let queue = ReaderQueue(number: 0)
        let places = Mutex<[UInt]>([])
        queue.listen {
            var mark: UInt8 = 0
            withUnsafeMutablePointer(to: &mark) { place in places.withLock { $0.append(UInt(bitPattern: place)) } }
        }
        var batches: ContiguousArray<MessageBatch> = []
        let key = RouteKey(session: 1, instrument: 1, mode: .ltp)
        for _ in 0..<2_000 {
            queue.arm()
            guard let batch = queue.batch(for: 100) else { continue }
            _ = batch.append(key, isSnapshot: false, UnsafeRawBufferPointer(start: nil, count: 0))
            queue.push(batch)
            queue.exchange(&batches)
        }
        let seen = places.withLock { Array($0.dropFirst()) }
        #expect(seen.count == 2_000)
        let (lowest, highest) = (seen.min() ?? 0, seen.max() ?? .max)
        #expect(highest - lowest < 1_024, "the last signal was \(highest - lowest) bytes deeper than the first")
    }
}
