import CZlib
import NIOCore
import NIOHTTP1
import Testing

@testable import BrokerSimulator

struct WireTests {
    @Test(arguments: [(0, [0]), (125, [125]), (126, [126, 0, 126]), (65_535, [126, 255, 255])] as [(Int, [UInt8])])
    func frameLengths(size: Int, expected: [UInt8]) {
        let frame = FrameBytes.frame(.binary, ByteBuffer(repeating: 7, count: size))
        #expect(Array(frame.readableBytesView) == [0x82] + expected + [UInt8](repeating: 7, count: size))
    }

    @Test func longFrames() {
        let frame = FrameBytes.frame(.text, ByteBuffer(repeating: 7, count: 65_536))
        #expect(Array(frame.readableBytesView.prefix(10)) == [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0])
        #expect(frame.readableBytes == 65_546)
    }

    @Test(
        arguments: [
            (157_315, -2, "1573.15", "1573.15"), (5, -2, "0.05", "0.05"), (886_200, -4, "88.6200", "88.62"),
            (2_600_000, -2, "26000.00", "26000"), (-150, -2, "-1.50", "-1.5"), (0, -2, "0.00", "0"),
            (12, 0, "12", "12"),
            (100, 0, "100", "100"),
        ] as [(Int64, Int8, String, String)])
    func decimals(mantissa: Int64, exponent: Int8, fixed: String, shortest: String) {
        #expect(DecimalText.fixed(mantissa, exponent: exponent) == fixed)
        #expect(DecimalText.shortest(mantissa, exponent: exponent) == shortest)
        #expect(Double(fixed).flatMap { DecimalText.mantissa($0, exponent: exponent) } == mantissa)
    }

    @Test func queries() {
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/a/b?x=1&y=a%20b+c&x=2&z")
        let request = PlainRequest(head: head, body: ByteBuffer(string: "k=v%3D&e="))
        #expect(request.path == "/a/b")
        #expect(request.query == ["x": "1", "y": "a b c", "z": ""])
        #expect(request.form == ["k": "v=", "e": ""])
    }

    @Test func gzipUnpacksToTheSame() throws {
        let text = String(repeating: "408065,1594,INFY\n", count: 500)
        var packed = Array(try #require(Gzip.compress(ByteBuffer(string: text))).readableBytesView)
        #expect(packed.count < text.utf8.count && packed.prefix(2) == [0x1F, 0x8B])
        let unpacked = try gunzip(&packed)
        #expect(unpacked == text)
    }

    @Test func hashesHideAndTell() {
        #expect(SHA256Text.of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(CredentialHash.of("abc") == "ba7816bf8f01")
        #expect(CredentialHash.of("") == "")
    }

    @Test func tokensRoll() {
        var credentials = SimulatorCredentials()
        credentials.roll(to: nil)
        #expect(credentials.accessToken == "simtoken-2" && credentials.feedToken == "simfeed-2")
        credentials.roll(to: "mine")
        #expect(credentials.accessToken == "mine" && credentials.generation == 3)
    }
}

/// What gzip has packed, as text.
func gunzip(_ packed: inout [UInt8]) throws -> String {
    struct Corrupt: Error {}
    var stream = z_stream()
    guard inflateInit2_(&stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
        throw Corrupt()
    }
    defer { inflateEnd(&stream) }
    var output = [UInt8](repeating: 0, count: 1 << 20)
    let size: Int? = packed.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            return inflate(&stream, Z_FINISH) == Z_STREAM_END ? output.count - Int(stream.avail_out) : nil
        }
    }
    guard let size else { throw Corrupt() }
    return String(decoding: output.prefix(size), as: UTF8.self)
}
