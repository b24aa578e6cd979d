import NIOCore

/// One frame from a client, unmasked.
struct InboundFrame {
    let opcode: Opcode
    let isFinal: Bool
    let isCompressed: Bool
    let payload: ByteBuffer
}

/// Cuts a client's bytes into frames, and refuses what RFC 6455 forbids as soon as the header shows it.
///
/// Our own rather than NIO's decoder: that one is a pipeline handler with a buffer, paid by every idle connection, and
/// does not let us stop between two frames when too many requests wait.
struct FrameReader {
    private var bytes = ByteBuffer()
    private let allowsCompression: Bool
    /// Bytes of a frame still to be thrown away, in ``skipToClose()``.
    private var skipped: (rest: UInt64, isClose: Bool) = (0, false)

    init(allowsCompression: Bool) { self.allowsCompression = allowsCompression }

    mutating func append(_ more: ByteBuffer) {
        if bytes.readableBytes == 0 {
            bytes = more
        } else {
            bytes.discardReadBytes()
            bytes.writeImmutableBuffer(more)
        }
    }

    /// The next whole frame, or nil until more bytes come.
    /// - Parameter room: Bytes that the payload of a data frame may have.
    mutating func next(room: Int) throws(ProtocolViolation) -> InboundFrame? {
        let start = bytes.readerIndex
        guard let first: UInt8 = bytes.getInteger(at: start), let second: UInt8 = bytes.getInteger(at: start + 1) else {
            return nil
        }
        let isFinal = first & 0x80 != 0
        let isCompressed = first & 0x40 != 0
        guard first & 0x30 == 0, !isCompressed || allowsCompression else { throw .reservedBits }
        guard let opcode = Opcode(rawValue: first & 0x0F) else { throw .opcode }
        guard second & 0x80 != 0 else { throw .unmasked }
        // RFC 7692 section 6: the bit belongs to the first frame of a message.
        guard !isCompressed || opcode == .text || opcode == .binary else { throw .reservedBits }
        guard !opcode.isControl || (isFinal && second & 0x7F <= 125) else { throw .control }

        guard let (length, extra) = try length(second & 0x7F, at: start + 2) else { return nil }
        guard length <= (opcode.isControl ? 125 : room) else { throw .tooBig }
        let header = 2 + extra + 4
        guard bytes.readableBytes >= header + length,
            let mask: UInt32 = bytes.getInteger(
                at: start + 2 + extra, endianness: .host),
            let masked = bytes.viewBytes(at: start + header, length: length)
        else { return nil }
        let payload = unmask(masked, with: mask)
        bytes.moveReaderIndex(forwardBy: header + length)
        // An idle connection keeps no buffer.
        if bytes.readableBytes == 0 { bytes = ByteBuffer() }
        return InboundFrame(opcode: opcode, isFinal: isFinal, isCompressed: isCompressed, payload: payload)
    }

    /// Throws frames away unread, by what their headers say of their lengths; the one that broke the rules first. Keeps less
    /// than a header.
    /// - Returns: Whether a close frame has come to its end.
    mutating func skipToClose() -> Bool {
        while true {
            let now = min(skipped.rest, UInt64(bytes.readableBytes))
            bytes.moveReaderIndex(forwardBy: Int(now))
            skipped.rest -= now
            guard skipped.rest == 0 else { break }
            if skipped.isClose { return true }
            guard let (header, length, isClose) = anyHeader() else { break }
            bytes.moveReaderIndex(forwardBy: header)
            skipped = (length, isClose)
        }
        if bytes.readableBytes == 0 { bytes = ByteBuffer() }
        return false
    }

    /// Of whatever frame, right or wrong; nil until it is there.
    private func anyHeader() -> (size: Int, length: UInt64, isClose: Bool)? {
        let start = bytes.readerIndex
        guard let first: UInt8 = bytes.getInteger(at: start), let second: UInt8 = bytes.getInteger(at: start + 1) else {
            return nil
        }
        let mask = second & 0x80 != 0 ? 4 : 0
        let isClose = first & 0x0F == Opcode.close.rawValue
        var (size, length) = (2 + mask, UInt64(second & 0x7F))
        if length == 126 {
            guard let long: UInt16 = bytes.getInteger(at: start + 2) else { return nil }
            (size, length) = (size + 2, UInt64(long))
        } else if length == 127 {
            guard let long: UInt64 = bytes.getInteger(at: start + 2) else { return nil }
            (size, length) = (size + 8, long)
        }
        return bytes.readableBytes >= size ? (size, length, isClose) : nil
    }

    /// - Returns: The payload's length, and how many bytes the extended length takes.
    private func length(_ short: UInt8, at index: Int) throws(ProtocolViolation) -> (Int, extra: Int)? {
        switch short {
        case 126:
            guard let length: UInt16 = bytes.getInteger(at: index) else { return nil }
            guard length >= 126 else { throw .length }
            return (Int(length), 2)
        case 127:
            guard let length: UInt64 = bytes.getInteger(at: index) else { return nil }
            guard length > UInt64(UInt16.max), length >> 63 == 0 else { throw .length }
            return (Int(length), 8)
        default:
            return (Int(short), 0)
        }
    }

    /// Eight bytes at a time: byte by byte, a message of a megabyte is felt by the other clients of the loop.
    private func unmask(_ masked: ByteBufferView, with mask: UInt32) -> ByteBuffer {
        guard !masked.isEmpty else { return ByteBuffer() }
        var payload = ByteBuffer()
        payload.reserveCapacity(masked.count)
        payload.writeBytes(masked)
        let wide = UInt64(mask) << 32 | UInt64(mask)
        payload.withUnsafeMutableReadableBytes { bytes in
            var index = 0
            while index + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                bytes.storeBytes(of: word ^ wide, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            withUnsafeBytes(of: wide) { mask in
                while index < bytes.count {
                    bytes[index] ^= mask[index & 7]
                    index += 1
                }
            }
        }
        return payload
    }
}
