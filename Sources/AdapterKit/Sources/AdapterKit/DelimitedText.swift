/// Reads comma-separated text, a line at a time, with the columns found by the names in the header line.
///
/// Quoted fields may hold the delimiter; a doubled quote inside one is kept as it is. Lines end with LF or CRLF, and so does
/// a quote: no instrument has a name of two lines, and a stray quote must not swallow the rows behind it. The bytes are
/// borrowed: fields are valid for as long as the file is.
public struct DelimitedText {
    /// The names of the header line.
    public let header: [String]
    /// The fields of the current line; a line that is too short has fewer.
    public private(set) var fields: [Bytes] = []
    /// The number of the current line; the header is line 1.
    public private(set) var line = 1
    /// The current line as the file has it.
    public private(set) var text = Bytes.empty

    private let bytes: Bytes
    private let delimiter: UInt8
    private var offset = 0
    /// Lines that have been read, empty ones too.
    private var count = 1
    private var isQuoteOpen = false
    private var isEnded = true
    /// Fields of the line before.
    private var usual: Int

    /// Reads the header line of `bytes`.
    public init(_ bytes: Bytes, delimiter: UInt8 = UInt8(ascii: ",")) {
        self.bytes = bytes
        self.delimiter = delimiter
        // A byte order mark is not part of the first name.
        if bytes.slice(from: 0, to: 3) == "\u{FEFF}" { offset = 3 }
        var names: [Bytes] = []
        _ = Self.readLine(bytes, delimiter, &offset, into: &names)
        header = names.map { String($0) }
        usual = names.count
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

    /// Goes to the next line that is not empty, whatever it is like. False at the end.
    public mutating func next() -> Bool {
        usual = min(header.count, fields.isEmpty ? usual : fields.count)
        while offset < bytes.count {
            fields.removeAll(keepingCapacity: true)
            let start = offset
            (isQuoteOpen, isEnded) = Self.readLine(bytes, delimiter, &offset, into: &fields)
            count += 1
            if fields.count > 1 || fields.first?.isEmpty == false {
                line = count
                text = bytes.slice(from: start, to: isEnded ? offset - 1 : offset)
                return true
            }
        }
        return false
    }

    /// Goes to the next line that is whole. What is broken is left out and told to `rows`: a quote that is never closed
    /// and a last line that is cut short make the whole file doubtful. False at the end.
    public mutating func next(_ rows: inout MasterRows) -> Bool {
        while next() {
            if isQuoteOpen {
                rows.skip(.quote, at: self)
                rows.doubt("a quote in line \(line) is never closed: \(shown)")
            } else if !isEnded, fields.count < usual {
                rows.skip(.cut, at: self)
                rows.doubt(
                    "its last line, line \(line), is cut short: \(fields.count) fields where there should be \(usual), and no end "
                        + "of the line: \(shown)")
            } else if fields.count > header.count, fields[header.count...].contains(where: { !$0.isEmpty }) {
                rows.skip(.fields, at: self)
            } else {
                return true
            }
        }
        return false
    }

    /// A field of the current line; empty if the line or the file has no such column.
    public subscript(column: Int?) -> Bytes {
        guard let column, fields.indices.contains(column) else { return .empty }
        return fields[column]
    }

    /// The current line for messages.
    private var shown: String { String(String(text.slice(from: 0, to: 200)).filter { !$0.isNewline }.prefix(80)) }

    /// - Returns: Whether a quote is still open where the line ends, and whether it ends at all.
    private static func readLine(
        _ bytes: Bytes, _ delimiter: UInt8, _ offset: inout Int, into fields: inout [Bytes]
    ) -> (isQuoteOpen: Bool, isEnded: Bool) {
        let buffer = bytes.buffer
        let end = buffer.count
        let newline = UInt8(ascii: "\n")
        var isQuoteOpen = false
        while true {
            var start = offset
            var stop: Int
            if offset < end, buffer[offset] == UInt8(ascii: "\"") {
                start += 1
                offset += 1
                while offset < end, buffer[offset] != newline {
                    if buffer[offset] == UInt8(ascii: "\"") {
                        guard offset + 1 < end, buffer[offset + 1] == UInt8(ascii: "\"") else { break }
                        offset += 1
                    }
                    offset += 1
                }
                stop = min(offset, end)
                isQuoteOpen = offset >= end || buffer[offset] != UInt8(ascii: "\"")
                while offset < end, buffer[offset] != delimiter, buffer[offset] != newline { offset += 1 }
            } else {
                while offset < end, buffer[offset] != delimiter, buffer[offset] != newline { offset += 1 }
                stop = offset
            }
            if stop > start, buffer[stop - 1] == UInt8(ascii: "\r"), stop == end || buffer[stop] == newline {
                stop -= 1
            }
            fields.append(bytes.slice(from: start, to: stop))
            guard offset < end else { return (isQuoteOpen, false) }
            offset += 1
            if buffer[offset - 1] == newline { return (isQuoteOpen, true) }
        }
    }
}
