import NIOCore

/// WebSocket frames as a server sends them (RFC 6455 section 5.2): whole, unmasked.
enum FrameBytes {
    enum Opcode: UInt8, Sendable {
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10
    }

    static func frame(_ opcode: Opcode, _ payload: ByteBuffer) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(payload.readableBytes + 10)
        write(0x80 | opcode.rawValue, payload, into: &bytes)
        return bytes
    }

    private static func write(_ first: UInt8, _ payload: ByteBuffer, into bytes: inout ByteBuffer) {
        bytes.writeInteger(first)
        switch payload.readableBytes {
        case 0..<126: bytes.writeInteger(UInt8(payload.readableBytes))
        case 126..<65_536:
            bytes.writeInteger(UInt8(126))
            bytes.writeInteger(UInt16(payload.readableBytes))
        default:
            bytes.writeInteger(UInt8(127))
            bytes.writeInteger(UInt64(payload.readableBytes))
        }
        bytes.writeImmutableBuffer(payload)
    }

    /// Bytes that break RFC 6455 itself, by name, for the fault `malformed`.
    static let malformed: [String: [UInt8]] = [
        // A text frame with RSV1 although no extension was agreed on.
        "ws-reserved-bit": [0xC1, 0x02, 0x68, 0x69],
        // A server must not mask.
        "ws-masked": [0x81, 0x82, 1, 2, 3, 4, 0x69, 0x6B],
        "ws-unknown-opcode": [0x83, 0x00],
        "ws-bad-utf8": [0x81, 0x02, 0xC3, 0x28],
        // A continuation of nothing.
        "ws-stray-fragment": [0x80, 0x01, 0x00],
        // A ping in two parts.
        "ws-fragmented-ping": [0x09, 0x00],
        // Promises 2^62 bytes.
        "ws-huge": [0x82, 0x7F, 0x40, 0, 0, 0, 0, 0, 0, 0],
        // Promises 100 bytes, holds four; whatever follows is swallowed.
        "ws-truncated": [0x82, 0x64, 0, 1, 0, 8],
    ]
}
