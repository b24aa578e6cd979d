import Foundation
import NIOCore
import Testing

@testable import StreamProxy

/// SplitMix64: the same seed, the same test.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    /// A fresh seed, or that of `FEEDHOST_FUZZ_SEED`; printed, so that a failure can be repeated.
    static func announced(_ what: String) -> SeededGenerator {
        let given = ProcessInfo.processInfo.environment["FEEDHOST_FUZZ_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0...UInt64.max)
        print("\(what): FEEDHOST_FUZZ_SEED=\(seed)")
        return SeededGenerator(seed: seed)
    }

    /// So many, or as many as `FEEDHOST_FUZZ` says.
    static func rounds(_ usual: Int) -> Int {
        ProcessInfo.processInfo.environment["FEEDHOST_FUZZ"].flatMap { Int($0) } ?? usual
    }

    /// Bytes that were once sensible.
    mutating func spoiled(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...4, using: &self) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &self)
            switch Int.random(in: 0..<4, using: &self) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &self)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
            default: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            }
        }
        return bytes
    }

    /// The bytes in pieces, as a network would cut them.
    mutating func pieces(_ bytes: [UInt8], upTo most: Int = 30) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let length = Int.random(in: 1...min(rest.count, most), using: &self)
            pieces.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return pieces
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// `FEEDHOST_FUZZ` is how many rounds each test makes; `FEEDHOST_FUZZ_SEED` repeats a run.
@Suite struct FuzzTests {
    private static let requests = [
        #"{"action":"subscribe","symbols":[{"symbol":"SBIN","exchange":"NSE"}],"mode":"Quote","depth":20}"#,
        #"{"action":"unsubscribe","symbols":[{"symbol":"SBIN:20","exchange":"NSE","mode":2}],"request_id":{"a":[1.5]}}"#,
        #"{"type":"auth","apikey":"\u00e9\ud83d\ude00 \n"}"#,
    ]

    @Test func requestsNeverTrap() throws {
        var random = SeededGenerator.announced("requests")
        for _ in 0..<SeededGenerator.rounds(20_000) {
            let text = try #require(Self.requests.randomElement(using: &random))
            let bytes = random.spoiled(Array(text.utf8))
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
        var random = SeededGenerator.announced("frames")
        let inflater = try Inflater()
        for _ in 0..<SeededGenerator.rounds(3_000) {
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
            bytes = random.spoiled(bytes)
            let whole = read([bytes], inflater)
            #expect(read(random.pieces(bytes), inflater) == whole)
        }
    }

    private func read(_ pieces: [[UInt8]], _ inflater: Inflater) -> [String] {
        var reader = MessageReader(allowsCompression: true)
        var result: [String] = []
        for piece in pieces {
            reader.append(ByteBuffer(bytes: piece))
            do throws(ProtocolViolation) {
                while let message = try reader.next(limit: 4096, inflater: inflater) { result.append("\(message)") }
            } catch {
                return result + ["\(error)"]
            }
        }
        return result
    }
}
