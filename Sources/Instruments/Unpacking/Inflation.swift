import CZlib

/// Undoes deflate, in one go.
enum Inflation {
    /// How deflate is wrapped.
    enum Wrapping {
        /// As in zip archives: nothing around it.
        case bare
        /// gzip, with its own header and check sum.
        case gzip

        fileprivate var windowBits: Int32 { self == .bare ? -MAX_WBITS : MAX_WBITS + 16 }
    }

    enum Failure: Error {
        case corrupt
        case truncated
        case tooLarge
        case noMemory
    }

    /// Inflates one stream.
    /// - Parameters:
    ///   - expected: What the output is known or guessed to be, in bytes; only a hint.
    ///   - limit: Bytes that `output` may grow to.
    /// - Returns: The number of bytes of `input` that the stream took.
    static func inflate(
        _ input: UnsafeRawBufferPointer, _ wrapping: Wrapping, expected: Int, limit: Int, into output: inout [UInt8]
    ) throws(Failure) -> Int {
        var stream = z_stream()
        guard inflateInit2_(&stream, wrapping.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw .noMemory }
        defer { inflateEnd(&stream) }
        output.reserveCapacity(min(limit, output.count + expected))
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        var taken = 0
        while true {
            // zlib counts in 32 bits.
            let offered = min(input.count - taken, 1 << 30)
            let (status, left, made) = chunk.withUnsafeMutableBufferPointer { chunk in
                stream.next_in = UnsafeMutablePointer(
                    mutating: input.baseAddress?.advanced(by: taken).assumingMemoryBound(to: UInt8.self))
                stream.avail_in = UInt32(offered)
                stream.next_out = chunk.baseAddress
                stream.avail_out = UInt32(chunk.count)
                let status = CZlib.inflate(&stream, Z_NO_FLUSH)
                return (status, Int(stream.avail_in), chunk.count - Int(stream.avail_out))
            }
            taken += offered - left
            guard output.count + made <= limit else { throw .tooLarge }
            output.append(contentsOf: chunk.prefix(made))
            switch status {
            case Z_STREAM_END: return taken
            case Z_OK where made > 0 || left < offered: continue
            // Nothing more can be made of what is there.
            case Z_OK, Z_BUF_ERROR: throw .truncated
            case Z_MEM_ERROR: throw .noMemory
            default: throw .corrupt
            }
        }
    }

    static func sentence(_ failure: Failure, _ name: String, limit: Int) -> MasterError {
        switch failure {
        case .corrupt: PackedFile.unreadable(name, "its compressed data is damaged")
        case .truncated: PackedFile.unreadable(name, "it is cut short")
        case .tooLarge: PackedFile.tooLarge(name, limit: limit)
        case .noMemory: PackedFile.unreadable(name, "there is no memory for it")
        }
    }
}
