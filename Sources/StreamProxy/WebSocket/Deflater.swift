import CZlib
import NIOCore

/// Compresses frames for the clients of one shard; a stream is reset for every frame, so all of them share one.
final class Deflater {
    /// Payloads below this are sent as they are: they shrink by a few dozen bytes at most, less than a TCP segment's
    /// header, and would cost more time than the rest of the way of a tick.
    static let threshold = 256

    // zlib's state points back at its stream, so the stream must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let version = deflateInit2_(
            stream, Z_BEST_SPEED, Z_DEFLATED, -Int32(DeflateOffer.windowBits), 5, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard version == Z_OK else {
            stream.deallocate()
            throw NoMemory()
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Writes a compressed frame.
    /// - Returns: False, with nothing written, when it would not be smaller.
    func writeFrame(_ opcode: Opcode, payload: UnsafeRawBufferPointer, to frame: inout ByteBuffer) -> Bool {
        guard payload.count >= Self.threshold, let input = payload.baseAddress else { return false }
        guard deflateReset(stream) == Z_OK else { return false }
        // Room for one byte less than the payload: zlib then stops as soon as nothing is won.
        var packed = ByteBuffer()
        let size = packed.writeWithUnsafeMutableBytes(minimumWritableBytes: payload.count) { room in
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(clamping: payload.count)
            stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(clamping: payload.count)
            let status = deflate(stream, Z_SYNC_FLUSH)
            // A full output may hide an unfinished flush.
            guard status == Z_OK, stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 else { return 0 }
            return payload.count - Int(stream.pointee.avail_out)
        }
        // RFC 7692 section 7.2.1: the empty block's 00 00 FF FF at the end is left away.
        guard size > 4 else { return false }
        packed.moveWriterIndex(to: packed.writerIndex - 4)
        FrameHeader.write(opcode, compressed: true, length: packed.readableBytes, to: &frame)
        frame.writeImmutableBuffer(packed)
        return true
    }
}

/// zlib could not get its tables.
struct NoMemory: Error {}
