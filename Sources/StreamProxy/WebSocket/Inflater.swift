import CZlib
import NIOCore

/// Decompresses the messages of one shard's clients, never to more than the limit of a message.
final class Inflater {
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // The largest window takes whatever window the client has.
        guard inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            throw NoMemory()
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func inflate(_ packed: ByteBuffer, limit: Int) throws(ProtocolViolation) -> ByteBuffer {
        guard inflateReset(stream) == Z_OK else { throw .deflate }
        var input = packed
        // The tail that the sender has left away (RFC 7692 section 7.2.2).
        input.writeInteger(UInt32(0x0000_FFFF))
        var output = ByteBuffer()
        let violation = input.withUnsafeReadableBytes { bytes in
            inflate(bytes, to: &output, limit: limit)
        }
        if let violation { throw violation }
        return output
    }

    private func inflate(
        _ bytes: UnsafeRawBufferPointer, to output: inout ByteBuffer, limit: Int
    ) -> ProtocolViolation? {
        stream.pointee.next_in = bytes.baseAddress.map {
            UnsafeMutablePointer(mutating: $0.assumingMemoryBound(to: UInt8.self))
        }
        stream.pointee.avail_in = UInt32(clamping: bytes.count)
        while true {
            var status = Z_OK
            // One byte above the limit is enough to see that it is exceeded.
            let room = min(16 << 10, limit + 1 - output.readableBytes)
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
                stream.pointee.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(clamping: room)
                status = CZlib.inflate(stream, Z_SYNC_FLUSH)
                return room - Int(stream.pointee.avail_out)
            }
            guard output.readableBytes <= limit else { return .tooBig }
            switch status {
            case Z_OK where stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0:
                return nil
            case Z_OK:
                continue
            case Z_STREAM_END:
                // A final block inside the message: what follows is a stream of its own (RFC 7692 section 7.2.3.5).
                if stream.pointee.avail_in == 0 { return nil }
                guard inflateReset(stream) == Z_OK else { return .deflate }
            case Z_BUF_ERROR where stream.pointee.avail_in == 0:
                return nil
            default:
                return .deflate
            }
        }
    }
}
