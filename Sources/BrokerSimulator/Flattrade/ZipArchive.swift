import NIOCore

/// A zip file with one entry, as brokers pack their master files.
///
/// Source: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
enum ZipArchive {
    /// 1 January 1980, the format's first day: the same content gives the same bytes.
    private static let date: UInt16 = 0x0021
    private static let version: UInt16 = 20
    private static let deflated: UInt16 = 8
    /// A gzip file (RFC 1952) without a name: what stands before the deflated bytes, and the checksum and size after them.
    private static let gzipHeader = 10
    private static let gzipTrailer = 8

    /// - Returns: Nil when zlib has no memory.
    static func holding(_ content: ByteBuffer, named name: String) -> ByteBuffer? {
        guard let gzip = Gzip.compress(content),
            let packed = gzip.getSlice(
                at: gzip.readerIndex + gzipHeader, length: gzip.readableBytes - gzipHeader - gzipTrailer),
            let checksum = gzip.getInteger(at: gzip.writerIndex - gzipTrailer, endianness: .little, as: UInt32.self)
        else { return nil }
        var common = ByteBuffer()
        put16(version, 0, deflated, 0, date, to: &common)
        put32(checksum, UInt32(packed.readableBytes), UInt32(content.readableBytes), to: &common)
        put16(UInt16(clamping: name.utf8.count), 0, to: &common)

        var file = ByteBuffer()
        put32(0x0403_4b50, to: &file)
        file.writeImmutableBuffer(common)
        file.writeString(name)
        file.writeImmutableBuffer(packed)
        let directoryStart = UInt32(file.readableBytes)
        put32(0x0201_4b50, to: &file)
        put16(version, to: &file)
        file.writeImmutableBuffer(common)
        put16(0, 0, 0, to: &file)
        put32(0, 0, to: &file)
        file.writeString(name)
        let directorySize = UInt32(file.readableBytes) - directoryStart
        put32(0x0605_4b50, to: &file)
        put16(0, 0, 1, 1, to: &file)
        put32(directorySize, directoryStart, to: &file)
        put16(0, to: &file)
        return file
    }

    private static func put16(_ values: UInt16..., to buffer: inout ByteBuffer) {
        for value in values { buffer.writeInteger(value, endianness: .little) }
    }

    private static func put32(_ values: UInt32..., to buffer: inout ByteBuffer) {
        for value in values { buffer.writeInteger(value, endianness: .little) }
    }
}
