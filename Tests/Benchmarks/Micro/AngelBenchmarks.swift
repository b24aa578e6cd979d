import AdapterKit
import AdapterTestKit
import AngelAdapter
import CFeedhostABI

/// From a frame of Angel One's market socket to the published tick, one packet a repetition.
var angelBenchmarks: [Benchmark] {
    [
        angelBenchmark("angel: LTP packet", limit: 400, mode: FH_MODE_LTP, packet: 1),
        angelBenchmark("angel: quote packet", limit: 400, mode: FH_MODE_QUOTE, packet: 2),
        angelBenchmark("angel: snap quote packet", limit: 400, mode: FH_MODE_DEPTH, packet: 3),
        angelBenchmark("angel: depth 20 packet", limit: 400, mode: FH_MODE_DEPTH, packet: 4),
    ]
}

private let angelEntry = AdapterEntry([Angel.registration])

/// 1,000 instruments are subscribed, and the packets of 64 of them come in turn.
private func angelBenchmark(_ name: String, limit: Double, mode: Int, packet: UInt8) -> Benchmark {
    Benchmark(name: name, limit: limit) {
        let host = try InMemoryHost(angelEntry)
        host.recordsTicks = false
        host.connect(
            fields: ["api_key": "k", "user_id": "C1", "access_token": "t", "feed_token": "f"])
        host.acceptUpgrade()
        let depth = packet == 4 ? 20 : mode == FH_MODE_DEPTH ? 5 : 0
        host.subscribe(
            (1...1_000).map { number in
                host.wish("NSE", "S\(number)", mode, depth: depth, token: ("NSE", "\(number * 37)"))
            })
        host.advance(by: .seconds(1))
        let stock = FrameStock((1...64).map { angelPacket(packet, token: "\($0 * 15 * 37)") })
        guard let socket = host.liveSocket, let events = host.events, let receive = events.pointee.on_frame else {
            return { _ in }
        }
        let time = host.now
        return { repetitions in
            for repetition in 0..<repetitions {
                receive(
                    host.instance, socket.id, socket.tag, UInt32(FH_WS_BINARY), stock[repetition & 63],
                    time &+ UInt64(repetition))
            }
            precondition(host.tickCount >= repetitions, "packets were not decoded")
        }
    }
}

/// Frames in memory of their own, for the life of the process.
private final class FrameStock {
    private var frames: [fh_str] = []

    init(_ contents: [[UInt8]]) {
        for bytes in contents {
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
            _ = copy.initialize(from: bytes)
            let start = copy.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
            frames.append(fh_str(ptr: start, len: UInt64(bytes.count)))
        }
    }

    subscript(index: Int) -> fh_str { frames[index] }
}

/// A packet in which every field has a value.
private func angelPacket(_ mode: UInt8, token: String) -> [UInt8] {
    func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
    var bytes = [mode, 1] + Array(token.utf8)
    bytes += Array(repeating: 0, count: 27 - bytes.count)
    if mode == 4 {
        bytes += little(Int64(1_700_000_000_000)) + little(Int64(1_700_000_000_000))
        for level in 0..<Int32(40) { bytes += little(100 + level) + little(141_800 + level) + little(Int16(3)) }
        return bytes
    }
    for value in [7, 1_700_000_000_000, 141_840] as [Int64] { bytes += little(value) }
    if mode == 1 { return bytes }
    for value in [10, 141_800, 999_999] as [Int64] { bytes += little(value) }
    for value in [1_234.0, 4_321.0] { bytes += little(value.bitPattern) }
    for value in [140_000, 142_000, 139_000, 141_000] as [Int64] { bytes += little(value) }
    if mode == 2 { return bytes }
    for value in [1_700_000_000, 5_000, 0] as [Int64] { bytes += little(value) }
    for level in 0..<Int64(10) {
        bytes += little(UInt16(level < 5 ? 1 : 0)) + little(100 + level) + little(141_800 + level) + little(UInt16(3))
    }
    for value in [155_000, 127_000, 160_000, 100_000] as [Int64] { bytes += little(value) }
    return bytes
}
