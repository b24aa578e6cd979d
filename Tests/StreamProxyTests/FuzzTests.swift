import Foundation
import NIOCore
import TestSupport
import Testing

@testable import StreamProxy

/// `FEEDHOST_FUZZ` is how many rounds each test makes; `FEEDHOST_FUZZ_SEED` repeats a run.
@Suite struct FuzzTests {
    private static let requests = [
        #"{"action":"subscribe","symbols":[{"symbol":"SBIN","exchange":"NSE"}],"mode":"Quote","depth":20}"#,
        #"{"action":"unsubscribe","symbols":[{"symbol":"SBIN:20","exchange":"NSE","mode":2}],"request_id":{"a":[1.5]}}"#,
        #"{"type":"auth","apikey":"\u00e9\ud83d\ude00 \n"}"#,
    ]

    @Test func requestsNeverTrap() throws {
        var random = SeededNumbers.announced("requests")
        for _ in 0..<SeededNumbers.rounds(20_000) {
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
        var random = SeededNumbers.announced("frames")
        let inflater = try Inflater()
        for _ in 0..<SeededNumbers.rounds(3_000) {
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
