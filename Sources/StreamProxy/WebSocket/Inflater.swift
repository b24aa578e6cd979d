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

    /// - Parameter window: What the message may refer back to; slides over it.
    func inflate(_ packed: ByteBuffer, limit: Int, window: inout InflateWindow?) throws(ProtocolViolation) -> ByteBuffer
    {
        let message = try inflate(packed, limit: limit, after: window?.bytes ?? ByteBuffer())
        window?.slide(over: message)
        return message
    }

    /// - Parameter past: What the message may refer back to, in front of it.
    func inflate(
        _ packed: ByteBuffer, limit: Int, after past: ByteBuffer = ByteBuffer()
    ) throws(ProtocolViolation) -> ByteBuffer {
        guard restart(after: past) else { throw .deflate }
        var input = packed
        // The tail that the sender has left away (RFC 7692 section 7.2.2).
        input.writeInteger(UInt32(0x0000_FFFF))
        var output = ByteBuffer()
        let violation = input.withUnsafeReadableBytes { bytes in
            inflate(bytes, to: &output, limit: limit, past)
        }
        if let violation { throw violation }
        return output
    }

    private func inflate(
        _ bytes: UnsafeRawBufferPointer, to output: inout ByteBuffer, limit: Int, _ past: ByteBuffer
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
                // A final block inside the message: what follows is a stream of its own (RFC 7692 section 7.2.3.5), in
                // the same window.
                if stream.pointee.avail_in == 0 { return nil }
                var window = InflateWindow(size: 1 << 15)
                window.slide(over: past)
                window.slide(over: output)
                guard restart(after: window.bytes) else { return .deflate }
            case Z_BUF_ERROR where stream.pointee.avail_in == 0:
                return nil
            default:
                return .deflate
            }
        }
    }

    /// Begins a stream that may refer to what came before it. Input and output stay where they are.
    private func restart(after past: ByteBuffer) -> Bool {
        guard inflateReset(stream) == Z_OK else { return false }
        guard past.readableBytes > 0 else { return true }
        return past.withUnsafeReadableBytes { bytes in
            inflateSetDictionary(
                stream, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(clamping: bytes.count)) == Z_OK
        }
    }
}
