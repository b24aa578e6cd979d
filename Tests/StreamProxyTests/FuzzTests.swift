import NIOCore
import Testing

@testable import StreamProxy

/// SplitMix64: the same seed, the same test.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

@Suite struct FuzzTests {
    /// Set to repeat a failure.
    private static let fixedSeed: UInt64? = nil

    private func generator(_ name: String) -> SeededGenerator {
        let seed = Self.fixedSeed ?? UInt64.random(in: 0...UInt64.max)
        print("\(name): seed \(seed)")
        return SeededGenerator(seed: seed)
    }

    private static let requests = [
        #"{"action":"subscribe","symbols":[{"symbol":"SBIN","exchange":"NSE"}],"mode":"Quote","depth":20}"#,
        #"{"action":"unsubscribe","symbols":[{"symbol":"SBIN:20","exchange":"NSE","mode":2}],"request_id":{"a":[1.5]}}"#,
        #"{"type":"auth","apikey":"\u00e9\ud83d\ude00 \n"}"#,
    ]

    /// Bytes that were once sensible.
    private func spoiled(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
            default: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        }
        return bytes
    }

    @Test func requestsNeverTrap() throws {
        var random = generator("requests")
        for _ in 0..<20_000 {
            let text = try #require(Self.requests.randomElement(using: &random))
            let bytes = spoiled(Array(text.utf8), &random)
            guard let value = try? JSONParser.parse(ByteBuffer(bytes: bytes)) else { continue }
            // What is written can be read, and is the same.
            #expect(try JSONParser.parse(value.jsonBytes) == value)
            guard let request = try? Request(value, isAuthenticated: true), case .subscribe(let subscribe) = request
            else { continue }
            for entry in subscribe.entries {
                if let written = try? entry.instrument() { _ = try? subscribe.wish(written) }
            }
        }
    }

    /// However the bytes are cut, the same messages or the same violation come out.
    @Test func framesDoNotDependOnTheirPackets() throws {
        var random = generator("frames")
        let inflater = try Inflater()
        for _ in 0..<3000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let opcode = try #require(
                    [Opcode.text, .binary, .continuation, .ping, .pong, .close].randomElement(using: &random))
                let payload = Array(try #require(Self.requests.randomElement(using: &random)).utf8)
                bytes += WireClient.frame(
                    opcode, opcode.isControl ? Array(payload.prefix(20)) : payload,
                    isFinal: opcode.isControl || Bool.random(using: &random),
                    reserved: Int.random(in: 0..<8, using: &random) == 0 ? 0x40 : 0)
            }
            bytes = spoiled(bytes, &random)
            let whole = read([bytes], inflater)
            var pieces: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let length = Int.random(in: 1...min(rest.count, 30), using: &random)
                pieces.append(Array(rest.prefix(length)))
                rest = rest.dropFirst(length)
            }
            #expect(read(pieces, inflater) == whole)
        }
    }

    private func read(_ pieces: [[UInt8]], _ inflater: Inflater) -> [String] {
        var reader = MessageReader(limit: 4096, allowsCompression: true)
        var result: [String] = []
        for piece in pieces {
            reader.append(ByteBuffer(bytes: piece))
            do throws(ProtocolViolation) {
                while let message = try reader.next(inflater: inflater) { result.append("\(message)") }
            } catch {
                return result + ["\(error)"]
            }
        }
        return result
    }
}
