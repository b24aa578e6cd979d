import CZlib

/// Packs bytes as servers do, and wrongly where a test wants that.
enum PackedBytes {
    static func gzip(_ content: [UInt8]) -> [UInt8] { deflate(content, windowBits: MAX_WBITS + 16) }

    struct Entry {
        var name: String
        var content: [UInt8]
        var isStored = false
        var flags: UInt16 = 0
        var method: UInt16?
        /// Nil: the right one.
        var checkSum: UInt32?
        /// What the directory claims; nil: the truth.
        var claims: Int?
    }

    static func zip(_ entries: [Entry], comment: String = "") -> [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let packed = entry.isStored ? entry.content : deflate(entry.content, windowBits: -MAX_WBITS)
            let sum = entry.checkSum ?? UInt32(crc32(0, entry.content, UInt32(entry.content.count)))
            let facts =
                little(20, 2) + little(Int(entry.flags), 2) + little(Int(entry.method ?? (entry.isStored ? 0 : 8)), 2)
                + little(0, 4) + little(Int(sum), 4) + little(packed.count, 4)
                + little(entry.claims ?? entry.content.count, 4) + little(entry.name.utf8.count, 2)
            let offset = file.count
            // An extra field that the directory does not have: its length differs.
            file += little(0x0403_4B50, 4) + facts + little(4, 2) + Array(entry.name.utf8) + [1, 2, 0, 0] + packed
            directory += little(0x0201_4B50, 4) + little(20, 2) + facts + little(0, 2) + little(0, 2) + little(0, 2)
            directory += little(0, 2) + little(0, 4) + little(offset, 4) + Array(entry.name.utf8)
        }
        let end =
            little(0x0605_4B50, 4) + little(0, 4) + little(entries.count, 2) + little(entries.count, 2)
            + little(directory.count, 4) + little(file.count, 4) + little(comment.utf8.count, 2) + Array(comment.utf8)
        return file + directory + end
    }

    static func deflate(_ content: [UInt8], windowBits: Int32) -> [UInt8] {
        var stream = z_stream()
        deflateInit2_(
            &stream, 6, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        defer { deflateEnd(&stream) }
        var input = content
        var output = [UInt8](repeating: 0, count: content.count + content.count / 100 + 64)
        let count = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                CZlib.deflate(&stream, Z_FINISH)
                return output.count - Int(stream.avail_out)
            }
        }
        return Array(output.prefix(count))
    }

    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
