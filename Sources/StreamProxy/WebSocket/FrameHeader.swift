import NIOCore

/// The header of a frame from us: never masked, never fragmented, so one frame's bytes serve every client.
enum FrameHeader {
    /// Bytes that the header of a payload of `length` takes.
    static func size(_ length: Int) -> Int {
        length < 126 ? 2 : length <= Int(UInt16.max) ? 4 : 10
    }

    static func write(_ opcode: Opcode, compressed: Bool = false, length: Int, to bytes: inout ByteBuffer) {
        bytes.writeInteger(0x80 | (compressed ? 0x40 : 0) | opcode.rawValue)
        if length < 126 {
            bytes.writeInteger(UInt8(length))
        } else if length <= Int(UInt16.max) {
            bytes.writeInteger(UInt8(126))
            bytes.writeInteger(UInt16(length))
        } else {
            bytes.writeInteger(UInt8(127))
            bytes.writeInteger(UInt64(length))
        }
    }
}

extension ByteBuffer {
    /// A whole control frame. Pings and pongs from clients are bounded by the reader, close texts by their table.
    static func controlFrame(_ opcode: Opcode, payload: ByteBuffer = ByteBuffer()) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.reserveCapacity(2 + payload.readableBytes)
        FrameHeader.write(opcode, length: payload.readableBytes, to: &frame)
        frame.writeImmutableBuffer(payload)
        return frame
    }

    /// A close frame; without a code when the other side gave none.
    static func closeFrame(_ code: UInt16?, _ text: String = "") -> ByteBuffer {
        var payload = ByteBuffer()
        if let code {
            payload.writeInteger(code)
            payload.writeString(text)
        }
        return controlFrame(.close, payload: payload)
    }
}
