/// Reads comma-separated text, a line at a time, with the columns found by the names in the header line.
///
/// Quoted fields may hold the delimiter; a doubled quote inside one is kept as it is. Lines end with LF or CRLF. The bytes
/// are borrowed: fields are valid for as long as the file is.
public struct DelimitedText {
    /// The names of the header line.
    public let header: [String]
    /// The fields of the current line; a line that is too short has fewer.
    public private(set) var fields: [Bytes] = []

    private let bytes: Bytes
    private let delimiter: UInt8
    private var offset = 0

    /// Reads the header line of `bytes`.
    public init(_ bytes: Bytes, delimiter: UInt8 = UInt8(ascii: ",")) {
        self.bytes = bytes
        self.delimiter = delimiter
        // A byte order mark is not part of the first name.
        if bytes.slice(from: 0, to: 3) == "\u{FEFF}" { offset = 3 }
        var names: [Bytes] = []
        Self.readLine(bytes, delimiter, &offset, into: &names)
        header = names.map { String($0) }
    }

    /// The number of the column with one of these names, in any case, the first name first.
    public func column(_ names: String...) -> Int? {
        for name in names {
            if let index = header.firstIndex(where: { $0.lowercased() == name.lowercased() }) { return index }
        }
        return nil
    }

    /// The number of the column with one of these names.
    ///
    /// - Throws: ``Status/invalid`` naming what is missing and what is there.
    public func required(_ name: String) throws(AdapterError) -> Int {
        if let column = column(name) { return column }
        let found = header.prefix(16).joined(separator: ", ")
        throw AdapterError(.invalid, "the file has no column \(name); its first line is: \(found.prefix(200))")
    }

    /// Goes to the next line that is not empty. False at the end.
    public mutating func next() -> Bool {
        while offset < bytes.count {
            fields.removeAll(keepingCapacity: true)
            Self.readLine(bytes, delimiter, &offset, into: &fields)
            if fields.count > 1 || fields.first?.isEmpty == false { return true }
        }
        return false
    }

    /// A field of the current line; empty if the line or the file has no such column.
    public subscript(column: Int?) -> Bytes {
        guard let column, fields.indices.contains(column) else { return .empty }
        return fields[column]
    }

    private static func readLine(_ bytes: Bytes, _ delimiter: UInt8, _ offset: inout Int, into fields: inout [Bytes]) {
        let buffer = bytes.buffer
        let end = buffer.count
        while true {
            var start = offset
            var stop: Int
            if offset < end, buffer[offset] == UInt8(ascii: "\"") {
                start += 1
                offset += 1
                while offset < end {
                    if buffer[offset] == UInt8(ascii: "\"") {
                        guard offset + 1 < end, buffer[offset + 1] == UInt8(ascii: "\"") else { break }
                        offset += 1
                    }
                    offset += 1
                }
                stop = min(offset, end)
                while offset < end, buffer[offset] != delimiter, buffer[offset] != UInt8(ascii: "\n") { offset += 1 }
            } else {
                while offset < end, buffer[offset] != delimiter, buffer[offset] != UInt8(ascii: "\n") { offset += 1 }
                stop = offset
                if stop > start, buffer[stop - 1] == UInt8(ascii: "\r") { stop -= 1 }
            }
            fields.append(bytes.slice(from: start, to: stop))
            guard offset < end else { return }
            offset += 1
            if buffer[offset - 1] == UInt8(ascii: "\n") { return }
        }
    }
}
