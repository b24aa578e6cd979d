import CZlib

/// A zip archive (PKWARE's APPNOTE): stored and deflated files, found by the central directory at its end.
struct ZipArchive {
    let name: String
    let bytes: [UInt8]

    private enum Size {
        static let end = 22
        static let entry = 46
        static let local = 30
    }

    /// One line of the central directory.
    private struct Entry {
        let name: String
        let method: Int
        let checkSum: UInt32
        let packed: Int
        let unpacked: Int
        let local: Int
        let isEncrypted: Bool

        /// Folders, and the resource forks that macOS puts beside files.
        var isContent: Bool { !name.hasSuffix("/") && !name.hasPrefix("__MACOSX/") }
    }

    /// The files in it, one after another.
    /// - Parameter limit: Bytes of all of them at the most.
    func forEachMember(limit: Int, _ body: (PackedFile.Member) throws -> Void) throws {
        let entries = try directory().filter(\.isContent)
        guard !entries.isEmpty else { throw PackedFile.unreadable(name, "the archive holds no file") }
        // Said by the directory, so before anything is unpacked; what is really there is counted again.
        guard entries.reduce(0, { $0 + $1.unpacked }) <= limit else { throw PackedFile.tooLarge(name, limit: limit) }
        var left = limit
        for entry in entries {
            let content = try content(of: entry, limit: left, whole: limit)
            left -= content.count
            try body(.init(name: entry.name, bytes: content))
        }
    }

    private func directory() throws(MasterError) -> [Entry] {
        let end = try endRecord()
        let count = number(end + 10, 2)
        var at = number(end + 16, 4)
        guard count != 0xFFFF, at != 0xFFFF_FFFF else { throw unreadable("it is of the ZIP64 kind") }
        var entries: [Entry] = []
        for _ in 0..<count {
            guard at + Size.entry <= end, number(at, 4) == 0x0201_4B50 else {
                throw unreadable("its directory is damaged")
            }
            let lengths = (name: number(at + 28, 2), extra: number(at + 30, 2), comment: number(at + 32, 2))
            let nameStart = at + Size.entry
            guard nameStart + lengths.name <= end else { throw unreadable("its directory is damaged") }
            entries.append(
                Entry(
                    name: String(decoding: bytes[nameStart..<nameStart + lengths.name], as: UTF8.self),
                    method: number(at + 10, 2), checkSum: UInt32(number(at + 16, 4)), packed: number(at + 20, 4),
                    unpacked: number(at + 24, 4), local: number(at + 42, 4),
                    isEncrypted: number(at + 8, 2) & 1 != 0))
            at = nameStart + lengths.name + lengths.extra + lengths.comment
        }
        return entries
    }

    /// Where the end record begins: behind everything but a comment of at most 65,535 bytes.
    private func endRecord() throws(MasterError) -> Int {
        var at = bytes.count - Size.end
        let first = max(0, at - 0xFFFF)
        while at >= first {
            if number(at, 4) == 0x0605_4B50, at + Size.end + number(at + 20, 2) <= bytes.count { return at }
            at -= 1
        }
        throw unreadable("the archive is cut short: its directory is missing")
    }

    private func content(of entry: Entry, limit: Int, whole: Int) throws(MasterError) -> [UInt8] {
        guard !entry.isEncrypted else { throw unreadable("it is protected by a password") }
        guard entry.local + Size.local <= bytes.count, number(entry.local, 4) == 0x0403_4B50 else {
            throw unreadable("its directory is damaged")
        }
        // Name and extra fields may differ from those of the directory.
        let start = entry.local + Size.local + number(entry.local + 26, 2) + number(entry.local + 28, 2)
        guard start + entry.packed <= bytes.count else { throw unreadable("the archive is cut short") }
        var content: [UInt8] = []
        switch entry.method {
        case 0:
            guard entry.packed <= limit else { throw PackedFile.tooLarge(name, limit: whole) }
            content = Array(bytes[start..<start + entry.packed])
        case 8:
            let failure: Inflation.Failure? = bytes.withUnsafeBytes { all in
                do throws(Inflation.Failure) {
                    _ = try Inflation.inflate(
                        UnsafeRawBufferPointer(rebasing: all[start..<start + entry.packed]), .bare, limit: limit,
                        into: &content)
                    return nil
                } catch {
                    return error
                }
            }
            if let failure { throw Inflation.sentence(failure, name, limit: whole) }
        default: throw unreadable("it is packed by method \(entry.method); only stored and deflated files are read")
        }
        guard content.count == entry.unpacked, Self.checkSum(content) == entry.checkSum else {
            throw unreadable("\(entry.name) in it is damaged: its check sum is wrong")
        }
        return content
    }

    /// CRC-32.
    private static func checkSum(_ content: [UInt8]) -> UInt32 {
        content.withUnsafeBufferPointer { buffer in
            var sum = crc32(0, nil, 0)
            var at = 0
            while at < buffer.count {
                let count = min(buffer.count - at, 1 << 30)
                sum = crc32(sum, buffer.baseAddress?.advanced(by: at), UInt32(count))
                at += count
            }
            return UInt32(truncatingIfNeeded: sum)
        }
    }

    /// A little-endian number; the caller has checked that it is there.
    private func number(_ at: Int, _ count: Int) -> Int {
        var value = 0
        for index in 0..<count where at + index < bytes.count { value |= Int(bytes[at + index]) << (8 * index) }
        return value
    }

    private func unreadable(_ reason: String) -> MasterError { PackedFile.unreadable(name, reason) }
}
