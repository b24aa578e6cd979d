/// The text of a master as adapters read it: UTF-8 without a byte order mark. Spreadsheets save UTF-16, and Windows puts
/// marks before both.
enum MasterText {
    private enum Encoding: String {
        case little = "UTF-16 with the low byte first"
        case big = "UTF-16 with the high byte first"
        case wide = "UTF-32"
    }

    /// - Throws: ``MasterError`` with `unreadable` for UTF-32, and for UTF-16 that is none.
    static func utf8(_ bytes: [UInt8], name: String) throws(MasterError) -> [UInt8] {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return Array(bytes.dropFirst(3)) }
        guard let (encoding, start) = encoding(bytes) else { return bytes }
        guard encoding != .wide, (bytes.count - start) % 2 == 0 else {
            throw PackedFile.unreadable(name, of: encoding.rawValue)
        }
        let (high, low) = encoding == .big ? (0, 1) : (1, 0)
        let units = stride(from: start, to: bytes.count, by: 2).lazy.map {
            UInt16(bytes[$0 + high]) << 8 | UInt16(bytes[$0 + low])
        }
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count - start) / 2)
        let isBroken = transcode(units.makeIterator(), from: UTF16.self, to: UTF8.self, stoppingOnError: true) {
            text.append($0)
        }
        guard !isBroken else { throw PackedFile.unreadable(name, of: encoding.rawValue) }
        return text
    }

    /// By the mark, or else by the zeros that the first two letters have: no text of UTF-8 holds a zero.
    private static func encoding(_ bytes: [UInt8]) -> (Encoding, start: Int)? {
        guard bytes.count >= 4 else { return nil }
        switch (bytes[0], bytes[1], bytes[2], bytes[3]) {
        case (0xFF, 0xFE, 0, 0), (0, 0, 0xFE, 0xFF): return (.wide, 4)
        case (0xFF, 0xFE, _, _): return (.little, 2)
        case (0xFE, 0xFF, _, _): return (.big, 2)
        case (1..., 0, 1..., 0): return (.little, 0)
        case (0, 1..., 0, 1...): return (.big, 0)
        case (1..., 0, 0, 0), (0, 0, 0, 1...): return (.wide, 0)
        default: return nil
        }
    }
}
