/// The text of one JSON value, for brokers that write numbers as text and leave texts empty. Borrowed, like ``Bytes``.
///
/// ```swift
/// let value = JSONText(json.skipValue())
/// update.reason = value.string                          // "5\/6 \u20b9" → 5/6 ₹
/// update.price = DecimalText.rounded(value.content, exponent: -8)
/// ```
public struct JSONText {
    /// What is between the quotes, escapes as they are; a number or a literal as it is written; empty for `null`.
    public let content: Bytes

    /// Takes a value as ``JSONScanner/skipValue()`` returns it; `nil` is empty. A string may be cut off behind its opening
    /// quote.
    @inlinable
    public init(_ value: Bytes?) {
        guard let value, value[0] == UInt8(ascii: "\"") else {
            content = value.map { $0 == "null" ? .empty : $0 } ?? .empty
            return
        }
        let isClosed = value.count > 1 && value[value.count - 1] == UInt8(ascii: "\"")
        content = value.slice(from: 1, to: isClosed ? value.count - 1 : value.count)
    }

    /// A copy of the text with its escapes undone.
    public var string: String { Self.unescaped(content) }

    /// The same on one line, for logs and clients: control characters become spaces.
    public var line: String {
        let text = string
        guard text.utf8.contains(where: { $0 < 0x20 }) else { return text }
        return String(decoding: text.utf8.map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
    }

    /// A copy of what is between two quotes with its escapes undone (RFC 8259, section 7).
    ///
    /// A broken escape is left as it is written; half of a surrogate pair and what is not UTF-8 become U+FFFD.
    public static func unescaped(_ content: Bytes) -> String {
        guard content.firstIndex(of: UInt8(ascii: "\\")) != nil else { return String(content) }
        // UTF-16, because `\u` escapes name halves of surrogate pairs.
        var units: [UInt16] = []
        var rest = String(content).utf16[...]
        while let unit = rest.popFirst() {
            guard unit == UInt16(UInt8(ascii: "\\")), let letter = rest.popFirst() else {
                units.append(unit)
                continue
            }
            switch UInt8(exactly: letter) {
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0C)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(letter)
            case UInt8(ascii: "u"):
                if let code = hexadecimal(rest.prefix(4)) {
                    units.append(code)
                    rest = rest.dropFirst(4)
                } else {
                    units += [unit, letter]
                }
            default: units += [unit, letter]
            }
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// `text` in quotes, with the escapes that JSON demands.
    public static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Four digits; a sign, which `UInt16` would take, is none.
    private static func hexadecimal(_ digits: Substring.UTF16View) -> UInt16? {
        guard digits.count == 4 else { return nil }
        var value: UInt16 = 0
        for digit in digits {
            guard let digit = UInt8(exactly: digit), let number = Character(UnicodeScalar(digit)).hexDigitValue else {
                return nil
            }
            value = value << 4 | UInt16(number)
        }
        return value
    }
}
