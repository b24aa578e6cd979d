import NIOCore
import Testing

@testable import StreamProxy

@Suite struct DeflateTests {
    private static let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    @Test(arguments: [
        (["permessage-deflate"], plain),
        (["permessage-deflate; client_max_window_bits"], plain),
        (["permessage-deflate; client_max_window_bits=10"], plain),
        (["permessage-deflate; server_no_context_takeover"], plain),
        (["PERMESSAGE-DEFLATE ; server_max_window_bits=15"], plain + "; server_max_window_bits=12"),
        (["permessage-deflate; server_max_window_bits=\"12\""], plain + "; server_max_window_bits=12"),
        // The first offer that can be met counts, in one header or in several.
        (["permessage-deflate; server_max_window_bits=9, permessage-deflate"], plain),
        (["x-webkit-deflate-frame", "permessage-deflate; client_max_window_bits"], plain),
    ]) func accepted(offer: [String], answer: String) {
        #expect(DeflateOffer.answer(to: offer) == answer)
    }

    @Test(arguments: [
        "", ",", ";", "x-webkit-deflate-frame", "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=012", "permessage-deflate; server_max_window_bits=10",
        "permessage-deflate; server_max_window_bits=", "permessage-deflate; client_max_window_bits=x",
        "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; unknown", "permessage-deflate;",
        "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=99999999999999999999",
    ]) func declined(offer: String) {
        #expect(DeflateOffer.answer(to: [offer]) == nil)
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
