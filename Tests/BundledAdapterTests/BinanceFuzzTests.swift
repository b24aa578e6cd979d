import AdapterKit
import AdapterTestKit
import BinanceAdapter
import CFeedhostABI
import Foundation
import Testing

/// Any bytes: no crash, no read past the end (the in-memory host delivers from memory that ends with the message), and a
/// good message afterwards still gets through.
///
/// `FEEDHOST_FUZZ` is how many messages, 100,000 without it; `FEEDHOST_FUZZ_SEED` repeats a run.
@Suite struct BinanceFuzzTests {
    /// Cut, flipped, doubled and spliced frames.
    @Test func survivesAnyMessage() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["FEEDHOST_FUZZ"].flatMap { Int($0) } ?? 100_000
        let seed = environment["FEEDHOST_FUZZ_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)
        print("Binance fuzz: \(count) messages, FEEDHOST_FUZZ_SEED=\(seed)")
        var random = SeededNumbers(seed: seed)
        let host = try openBinance(FH_MODE_DEPTH, depth: 20)
        host.recordsTicks = false
        let frames = [
            BinanceDecodingTests.trade, BinanceDecodingTests.aggregate, BinanceDecodingTests.bookTicker,
            BinanceDecodingTests.ticker, BinanceDecodingTests.book.replacing("@depth5", with: "@depth20"),
            #"{"result":null,"id":1}"#, #"{"error":{"code":2,"msg":"Invalid request"},"id":1}"#,
        ].map { Array($0.utf8) }
        for _ in 0..<count {
            host.deliver(Self.garbled(frames, &random))
            host.log.removeAll()
        }
        #expect(host.metric(FH_M_FRAMES_BAD) > count / 10)
        let before = host.tickCount
        #expect(before > count / 100)
        host.deliver(BinanceDecodingTests.bookTicker)
        #expect(host.tickCount == before + 1, "still well")
    }

    private static func garbled(_ frames: [[UInt8]], _ random: inout SeededNumbers) -> [UInt8] {
        if UInt8.random(in: 0..<16, using: &random) == 0 {
            return (0..<Int.random(in: 0..<96, using: &random)).map { _ in .random(in: 0 ... .max, using: &random) }
        }
        var bytes = frames[Int.random(in: 0..<frames.count, using: &random)]
        let other = frames[Int.random(in: 0..<frames.count, using: &random)]
        for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch UInt8.random(in: 0..<5, using: &random) {
            case 0: bytes[place] = .random(in: 0 ... .max, using: &random)
            case 1: bytes.removeSubrange(place...)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(contentsOf: bytes[place...].prefix(20), at: place)
            default: bytes.replaceSubrange(place..., with: other.suffix(bytes.count - place))
            }
        }
        return bytes
    }
}
