import CZlib
import NIOCore

/// Undoes gzip or deflate, part by part as an answer comes in, so that a large one never holds up the lane for long.
final class BodyInflater {
    enum Failure: Error {
        case corrupt
        case tooLarge
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private let limit: Int
    private var isFinished = false
    private(set) var hasInput = false
    private(set) var body = ByteBuffer()

    /// - Parameter limit: Bytes of the decompressed body at the most.
    /// - Returns: Nil when zlib has no memory.
    init?(limit: Int) {
        self.limit = limit
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 32 more than the largest window: the header tells whether it is gzip or zlib.
        guard inflateInit2_(stream, MAX_WBITS + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func take(_ part: ByteBuffer) throws(Failure) {
        hasInput = hasInput || part.readableBytes > 0
        var output = [UInt8](repeating: 0, count: 64 << 10)
        var input = Array(part.readableBytesView)
        let failure: Failure? = input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            while stream.pointee.avail_in > 0, !isFinished {
                let (status, count) = output.withUnsafeMutableBufferPointer { output in
                    stream.pointee.next_out = output.baseAddress
                    stream.pointee.avail_out = UInt32(output.count)
                    let status = inflate(stream, Z_NO_FLUSH)
                    return (status, output.count - Int(stream.pointee.avail_out))
                }
                guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { return .corrupt }
                guard body.readableBytes + count <= limit else { return .tooLarge }
                body.writeBytes(output.prefix(count))
                isFinished = status == Z_STREAM_END
                // No progress is possible on what is there.
                if status == Z_BUF_ERROR, count == 0 { break }
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// - Throws: When the compressed body was cut short.
    func finish() throws(Failure) -> ByteBuffer {
        guard isFinished else { throw .corrupt }
        return body
    }
}
