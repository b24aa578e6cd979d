import CZlib
import NIOCore
import TestSupport
import Testing

@testable import StreamProxy

@Suite struct DeflateTests {
    private static func accept(_ fields: [String], room: Int = .max) throws -> DeflateOffer? {
        DeflateOffer.accept(try ExtensionOffer.parse(fields)) { $0 <= room }
    }

    /// Behind `permessage-deflate; server_no_context_takeover`, and the bytes that the client's messages may refer back to.
    @Test(arguments: [
        (["permessage-deflate"], "", 32_768),
        (["permessage-deflate; server_no_context_takeover"], "", 32_768),
        (["permessage-deflate; client_no_context_takeover"], "; client_no_context_takeover", 0),
        (
            ["permessage-deflate; client_no_context_takeover; server_no_context_takeover; client_max_window_bits"],
            "; client_no_context_takeover", 0
        ),
        (["permessage-deflate; client_max_window_bits"], "; client_max_window_bits=12", 4_096),
        (["permessage-deflate; client_max_window_bits=15"], "; client_max_window_bits=12", 4_096),
        (["permessage-deflate; client_max_window_bits=12"], "; client_max_window_bits=12", 4_096),
        (["permessage-deflate; client_max_window_bits=\"10\""], "; client_max_window_bits=10", 1_024),
        (["permessage-deflate; client_max_window_bits=8"], "; client_max_window_bits=8", 256),
        (["PERMESSAGE-DEFLATE ; server_max_window_bits=15"], "; server_max_window_bits=12", 32_768),
        (["permessage-deflate; server_max_window_bits=\"12\""], "; server_max_window_bits=12", 32_768),
        (
            ["permessage-deflate; Client_Max_Window_Bits; SERVER_MAX_WINDOW_BITS=13"],
            "; server_max_window_bits=12; client_max_window_bits=12", 4_096
        ),
        // The first offer that can be met counts, in one header or in several.
        (["permessage-deflate; server_max_window_bits=9, permessage-deflate"], "", 32_768),
        (
            ["permessage-deflate; unknown", "permessage-deflate; client_max_window_bits"],
            "; client_max_window_bits=12", 4_096
        ),
        (
            ["x-webkit-deflate-frame", "permessage-deflate; client_max_window_bits"], "; client_max_window_bits=12",
            4_096
        ),
    ]) func accepted(offer: [String], answer: String, window: Int) throws {
        let accepted = try #require(try Self.accept(offer))
        #expect(accepted.answer == "permessage-deflate; server_no_context_takeover" + answer)
        #expect(accepted.window == window)
    }

    @Test(arguments: [
        "", ",", "x-webkit-deflate-frame", "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=012", "permessage-deflate; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits=x", "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16", "permessage-deflate; client_max_window_bits=-9",
        "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; unknown", "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=12; client_max_window_bits=\"12\"",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=99999999999999999999",
    ]) func declined(offer: String) throws {
        #expect(try Self.accept([offer]) == nil)
    }

    /// When all windows are taken: clients are told to forget, which they must be able to.
    @Test func withoutRoomMessagesStandAlone() throws {
        for offer in ["permessage-deflate", "permessage-deflate; client_max_window_bits"] {
            let accepted = try #require(try Self.accept([offer], room: 100))
            #expect(accepted.window == 0)
            #expect(accepted.answer == "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
        }
        let counters = ProxyCounters()
        #expect(counters.reserve(window: 4096, limit: 8192) && counters.reserve(window: 4096, limit: 8192))
        #expect(!counters.reserve(window: 1, limit: 8192))
        counters.giveBack(window: 4096)
        #expect(counters.reserve(window: 4096, limit: 8192))
        #expect(counters.snapshot().windows == 2 && counters.snapshot().windowsDeclined == 1)
    }

    /// Messages of a client that keeps its window, as zlib makes them: later ones are little more than references.
    @Test(arguments: [9, 12, 15]) func aWindowIsKept(bits: Int) throws {
        var random = SeededNumbers.announced("kept windows of \(bits) bits")
        let (sender, inflater) = (try Sender(bits: bits), try Inflater())
        var window: InflateWindow? = InflateWindow(size: 1 << bits)
        var earlier: [UInt8] = []
        var saved = 0
        for _ in 0..<200 {
            // Something old, something new.
            let start = earlier.isEmpty ? 0 : Int.random(in: 0..<earlier.count, using: &random)
            var text = Array(earlier[start...].prefix(Int.random(in: 0...5_000, using: &random)))
            text += (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            let packed = sender.pack(text)
            let message = try inflater.inflate(ByteBuffer(bytes: packed), limit: 1 << 20, window: &window)
            #expect(Array(message.readableBytesView) == text)
            #expect((window?.bytes.readableBytes ?? 0) <= 1 << bits)
            earlier = Array((earlier + text).suffix(1 << bits))
            #expect(window.map { Array($0.bytes.readableBytesView) } == earlier)
            if (try? Inflater().inflate(ByteBuffer(bytes: packed), limit: 1 << 20)) == nil { saved += 1 }
        }
        #expect(saved > 50, "hardly a message has needed what came before it")
    }

    /// A final block in the middle of a message does not empty the window (RFC 7692 section 7.2.3.5).
    @Test func finalBlocksKeepTheWindow() throws {
        let text = Array("the quick brown fox jumps over the lazy dog, again and again".utf8)
        let past = Array("What went before: ".utf8) + text
        // "a" in a final block of its own, then references to what was before that.
        let packed = try Sender(bits: 15, after: past + Array("a".utf8)).pack(text)
        #expect(packed.count < 20)
        let message = try Inflater().inflate(
            ByteBuffer(bytes: [0x4B, 0x04, 0x00] + packed), limit: 1000, after: ByteBuffer(bytes: past))
        #expect(Array(message.readableBytesView) == Array("a".utf8) + text)
    }

    /// A client that takes its window over.
    private final class Sender {
        private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

        init(bits: Int, after past: [UInt8] = []) throws {
            stream.initialize(to: z_stream())
            let status = deflateInit2_(
                stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -Int32(bits), 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size))
            guard status == Z_OK else { throw NoMemory() }
            if !past.isEmpty { deflateSetDictionary(stream, past, UInt32(past.count)) }
        }

        deinit {
            deflateEnd(stream)
            stream.deallocate()
        }

        func pack(_ text: [UInt8]) -> [UInt8] {
            var (text, packed) = (text, [UInt8](repeating: 0, count: text.count * 2 + 1_000))
            let room = packed.count
            text.withUnsafeMutableBufferPointer { input in
                packed.withUnsafeMutableBufferPointer { output in
                    stream.pointee.next_in = input.baseAddress
                    stream.pointee.avail_in = UInt32(input.count)
                    stream.pointee.next_out = output.baseAddress
                    stream.pointee.avail_out = UInt32(room)
                    _ = deflate(stream, Z_SYNC_FLUSH)
                }
            }
            // The tail that is left away (RFC 7692 section 7.2.1).
            return Array(packed.prefix(room - Int(stream.pointee.avail_out) - 4))
        }
    }

    private func pack(_ text: String) throws -> ByteBuffer? {
        var text = text
        var frame = ByteBuffer()
        let deflater = try Deflater()
        let isSmaller = text.withUTF8 {
            deflater.writeFrame(.text, payload: UnsafeRawBufferPointer($0), to: &frame)
        }
        return isSmaller ? frame : nil
    }

    @Test(arguments: [256, 300, 5000, 200_000]) func framesComeBack(length: Int) throws {
        let text = String((0..<length).map { Character(Unicode.Scalar(UInt8(97 + $0 * $0 % 7))) })
        var frame = try #require(try pack(text))
        #expect(frame.readableBytes < length)
        #expect(frame.getInteger(at: 0, as: UInt8.self) == 0xC1)
        frame.moveReaderIndex(forwardBy: FrameHeader.size(frame.readableBytes - 4))
        #expect(String(buffer: try Inflater().inflate(frame, limit: 1 << 20)) == text)
    }

    @Test func smallOrRandomFramesStayAsTheyAre() throws {
        #expect(try pack(String(repeating: "a", count: 255)) == nil)
        var random = SystemRandomNumberGenerator()
        let noise = String((0..<400).map { _ in Character(Unicode.Scalar(UInt8.random(in: 33...126, using: &random))) })
        if let frame = try pack(noise) { #expect(frame.readableBytes < 404) }
    }

    @Test func bombsAreCutAtTheLimit() throws {
        let bomb = String(repeating: "0", count: 1 << 20)
        var frame = try #require(try pack(bomb))
        #expect(frame.readableBytes < 8000)
        frame.moveReaderIndex(forwardBy: 4)
        #expect(throws: ProtocolViolation.tooBig) { try Inflater().inflate(frame, limit: (1 << 20) - 1) }
        #expect(try Inflater().inflate(frame, limit: 1 << 20).readableBytes == 1 << 20)
    }

    @Test func garbageIsRefusedAndForgotten() throws {
        let inflater = try Inflater()
        #expect(throws: ProtocolViolation.deflate) {
            try inflater.inflate(ByteBuffer(bytes: [0xFF, 0xFF, 0x00, 0x12]), limit: 1000)
        }
        // "a" in one fixed block, flushed: RFC 7692 section 7.2.3.
        #expect(String(buffer: try inflater.inflate(ByteBuffer(bytes: [0x4A, 0x04, 0x00]), limit: 1000)) == "a")
        // The same with a final block, and with two of them.
        let final: [UInt8] = [0x4B, 0x04, 0x00, 0x00]
        #expect(String(buffer: try inflater.inflate(ByteBuffer(bytes: final), limit: 1000)) == "a")
        let hello: [UInt8] = [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00]
        #expect(String(buffer: try inflater.inflate(ByteBuffer(bytes: hello), limit: 1000)) == "Hello")
    }
}
