extension String {
    /// The text on one line, without anything that a terminal obeys: control characters, line and paragraph separators and
    /// marks that turn the direction of writing are shown as escapes (`\\u{1b}`). For whatever an outsider may have written.
    /// - Parameter limit: Characters; more are cut off, and the line says how many bytes that were.
    public func oneLine(limit: Int = 8_192) -> String {
        if utf8.count <= limit, utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return self }
        var line = ""
        var taken = 0
        for (count, scalar) in unicodeScalars.enumerated() {
            guard count < limit else { return line + "… (\(utf8.count - taken) bytes more)" }
            taken += UTF8.width(scalar)
            if scalar.isObeyed {
                line += scalar == "\n" ? "\\n" : "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}

extension Unicode.Scalar {
    fileprivate var isObeyed: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
