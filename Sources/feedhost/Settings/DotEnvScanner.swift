/// Reads one statement of a `.env` file after the other. Works on scalars: to Swift, CR LF is one character.
struct DotEnvScanner {
    enum Statement {
        case binding(DotEnv.Entry)
        case comment
        case invalid(line: Int)
    }
    private struct Malformed: Error {}

    private let text: [Unicode.Scalar]
    private var at = 0
    private var line = 1

    init(_ text: String) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(text.utf8.count)
        var afterReturn = false
        for scalar in text.unicodeScalars {
            // Python opens text files with universal newlines: inside quotes, too, a CR LF is a line feed.
            if scalar == "\n" && afterReturn {
                afterReturn = false
                continue
            }
            afterReturn = scalar == "\r"
            scalars.append(afterReturn ? "\n" : scalar)
        }
        if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
        self.text = scalars
    }

    /// Nil at the end.
    mutating func next() -> Statement? {
        skip(where: Self.isSpace)
        guard at < text.count else { return nil }
        let first = line
        do {
            skipExport()
            let name = try name()
            skip(where: Self.isBlank)
            var value: String?
            if peek == "=" {
                advance()
                skip(where: Self.isBlank)
                value = try self.value()
            }
            skip(where: Self.isBlank)
            if peek == "#" { skip { $0 != "\n" } }
            guard at == text.count || peek == "\n" else { throw Malformed() }
            advance()
            return name.map { .binding(DotEnv.Entry(name: $0, value: value, line: first)) } ?? .comment
        } catch {
            skip { $0 != "\n" }
            advance()
            return .invalid(line: first)
        }
    }

    private mutating func skipExport() {
        let word = Array("export".unicodeScalars)
        let end = at + word.count
        guard end < text.count, Array(text[at..<end]) == word, Self.isBlank(text[end]) else { return }
        at = end
        skip(where: Self.isBlank)
    }

    /// Nil for a comment.
    private mutating func name() throws -> String? {
        switch peek {
        case "#": return nil
        case "'":
            guard let close = text[(at + 1)...].firstIndex(of: "'"), close > at + 1 else { throw Malformed() }
            let name = string(at + 1, close)
            advance(to: close + 1)
            return name
        default:
            let start = at
            skip { $0 != "=" && $0 != "#" && !Self.isSpace($0) }
            guard at > start else { throw Malformed() }
            return string(start, at)
        }
    }

    private mutating func value() throws -> String {
        switch peek {
        case "'": return try quoted("'", escapes: ["\\": "\\", "'": "'"])
        case "\"":
            return try quoted(
                "\"",
                escapes: [
                    "\\": "\\", "'": "'", "\"": "\"", "a": "\u{07}", "b": "\u{08}", "f": "\u{0C}", "n": "\n", "r": "\r",
                    "t": "\t", "v": "\u{0B}",
                ])
        case nil, "\n": return ""
        default: return unquoted()
        }
    }

    private mutating func quoted(_ quote: Unicode.Scalar, escapes: [Unicode.Scalar: Unicode.Scalar]) throws -> String {
        var end = at + 1
        var lastEscaped: Int?
        while end < text.count, text[end] != quote {
            if text[end] == "\\", end + 1 < text.count, text[end + 1] == quote {
                end += 1
                lastEscaped = end
            }
            end += 1
        }
        // No closing quote: then the last escaped one closes, `'C:\dir\'` being more likely than a text without an end.
        guard let close = end < text.count ? end : lastEscaped else { throw Malformed() }
        var result = String.UnicodeScalarView()
        var index = at + 1
        while index < close {
            if text[index] == "\\", index + 1 < close, let meant = escapes[text[index + 1]] {
                result.append(meant)
                index += 2
            } else {
                result.append(text[index])
                index += 1
            }
        }
        advance(to: close + 1)
        return String(result)
    }

    /// To the end of the line or to a `#` after a space; a `#` inside a word belongs to it.
    private mutating func unquoted() -> String {
        let start = at
        skip { $0 != "\n" }
        var end = at
        if let hash = (start..<at).first(where: { $0 > start && text[$0] == "#" && Self.isSpace(text[$0 - 1]) }) {
            end = hash
        }
        while end > start, Self.isSpace(text[end - 1]) { end -= 1 }
        return string(start, end)
    }

    private var peek: Unicode.Scalar? { at < text.count ? text[at] : nil }

    private mutating func advance() {
        guard at < text.count else { return }
        if text[at] == "\n" { line += 1 }
        at += 1
    }

    private mutating func advance(to end: Int) {
        while at < end { advance() }
    }

    private mutating func skip(where belongs: (Unicode.Scalar) -> Bool) {
        while at < text.count, belongs(text[at]) { advance() }
    }

    private func string(_ start: Int, _ end: Int) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text[start..<end])
        return String(view)
    }

    /// What `\s` means to Python: Unicode's white space and the four ASCII separators.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar != "\n" && isSpace(scalar) }
}
