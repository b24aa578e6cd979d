import NIOCore

/// The header of a frame from us: never masked, never fragmented, so one frame's bytes serve every client.
enum FrameHeader {
    /// Bytes that the header of a payload of `length` takes.
    static func size(_ length: Int) -> Int {
        length < 126 ? 2 : length <= Int(UInt16.max) ? 4 : 10
    }

    /// Bytes of the frame of ours that a buffer begins with, header and payload; nil when it does not hold so many.
    static func wholeSize(_ bytes: ByteBuffer) -> Int? {
        guard let short: UInt8 = bytes.getInteger(at: bytes.readerIndex + 1) else { return nil }
        let length: Int?
        switch short & 0x7F {
        case 126: length = bytes.getInteger(at: bytes.readerIndex + 2, as: UInt16.self).map(Int.init)
        case 127: length = bytes.getInteger(at: bytes.readerIndex + 2, as: UInt64.self).flatMap(Int.init(exactly:))
        default: length = Int(short & 0x7F)
        }
        guard let length, length <= bytes.readableBytes - size(length) else { return nil }
        return size(length) + length
    }

    /// Writes the header to memory with room for ``size(_:)`` bytes.
    static func write(_ opcode: Opcode, length: Int, at start: UnsafeMutableRawPointer) {
        start.storeBytes(of: 0x80 | opcode.rawValue, as: UInt8.self)
        if length < 126 {
            start.storeBytes(of: UInt8(length), toByteOffset: 1, as: UInt8.self)
        } else if length <= Int(UInt16.max) {
            start.storeBytes(of: 126, toByteOffset: 1, as: UInt8.self)
            start.storeBytes(of: UInt16(length).bigEndian, toByteOffset: 2, as: UInt16.self)
        } else {
            start.storeBytes(of: 127, toByteOffset: 1, as: UInt8.self)
            (start + 2).storeBytes(of: UInt64(length).bigEndian, as: UInt64.self)
        }
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
