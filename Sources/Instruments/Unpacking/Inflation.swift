import CZlib

/// Undoes deflate in two goes: the first one measures with a small buffer, so that memory is taken once, as much as is
/// needed, and none at all for what grows too large.
enum Inflation {
    /// What the first go holds at a time, in bytes.
    private static let chunk = 256 << 10

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

    /// Inflates one stream and puts it behind `output`.
    /// - Parameter limit: Bytes that `output` may grow to.
    /// - Returns: The number of bytes of `input` that the stream took.
    static func inflate(
        _ input: UnsafeRawBufferPointer, _ wrapping: Wrapping, limit: Int, into output: inout [UInt8]
    ) throws(Failure) -> Int {
        let size = try measure(input, wrapping, limit: limit - output.count)
        let whole = output.count + size.made
        if output.isEmpty {
            // The usual case: the only copy, written in place.
            let filled = Result<[UInt8], Failure> { () throws(Failure) in
                var failure: Failure?
                let bytes = [UInt8](unsafeUninitializedCapacity: whole) { buffer, count in
                    do throws(Failure) {
                        count = try fill(input, wrapping, buffer)
                    } catch {
                        failure = error
                    }
                }
                if let failure { throw failure }
                return bytes
            }
            output = try filled.get()
        } else {
            // Streams behind one another, which are few and small.
            var more: [UInt8] = []
            _ = try inflate(input, wrapping, limit: size.made, into: &more)
            output.append(contentsOf: more)
        }
        return size.taken
    }

    /// How many bytes a stream takes, and how many it makes.
    private static func measure(
        _ input: UnsafeRawBufferPointer, _ wrapping: Wrapping, limit: Int
    ) throws(Failure) -> (taken: Int, made: Int) {
        var made = 0
        var scratch = [UInt8](repeating: 0, count: chunk)
        let taken = try run(input, wrapping) { (step) throws(Failure) in
            let written = scratch.withUnsafeMutableBufferPointer { step($0) }
            made += written
            guard made <= limit else { throw .tooLarge }
        }
        return (taken, made)
    }

    /// Writes a stream to a place of its size; returns how much it was.
    private static func fill(
        _ input: UnsafeRawBufferPointer, _ wrapping: Wrapping, _ output: UnsafeMutableBufferPointer<UInt8>
    ) throws(Failure) -> Int {
        var at = 0
        // zlib asks for room even when nothing is left to write.
        var spare = [UInt8](repeating: 0, count: 1)
        _ = try run(input, wrapping) { (step) throws(Failure) in
            let end = min(output.count, at + 1 << 30)
            if at < end {
                at += step(UnsafeMutableBufferPointer(rebasing: output[at..<end]))
            } else {
                let written = spare.withUnsafeMutableBufferPointer { step($0) }
                guard written == 0 else { throw .corrupt }
            }
        }
        return at
    }

    /// Goes through a stream. `body` gives each step a place to write to, and learns how much was written.
    /// - Returns: The number of bytes of `input` that the stream took.
    private static func run(
        _ input: UnsafeRawBufferPointer, _ wrapping: Wrapping,
        _ body: (_ step: (UnsafeMutableBufferPointer<UInt8>) -> Int) throws(Failure) -> Void
    ) throws(Failure) -> Int {
        var stream = z_stream()
        guard inflateInit2_(&stream, wrapping.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw .noMemory }
        defer { inflateEnd(&stream) }
        var taken = 0
        while true {
            // zlib counts in 32 bits.
            let offered = min(input.count - taken, 1 << 30)
            var (status, left, made) = (Z_OK, offered, 0)
            try body { place in
                stream.next_in = UnsafeMutablePointer(
                    mutating: input.baseAddress?.advanced(by: taken).assumingMemoryBound(to: UInt8.self))
                stream.avail_in = UInt32(offered)
                stream.next_out = place.baseAddress
                stream.avail_out = UInt32(place.count)
                status = CZlib.inflate(&stream, Z_NO_FLUSH)
                left = Int(stream.avail_in)
                made = place.count - Int(stream.avail_out)
                return made
            }
            taken += offered - left
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
