import AdapterKit

/// Strings of JSON, where the broker's messages or ours need their escapes.
enum JSONText {
    /// `text` in quotes, with the escapes that JSON demands.
    static func quoted(_ text: String) -> String {
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

    /// The text behind the bytes between two quotes. A broken escape is left as it is.
    static func unescaped(_ bytes: Bytes) -> String {
        guard bytes.firstIndex(of: UInt8(ascii: "\\")) != nil else { return String(bytes) }
        var units: [UInt16] = []
        var rest = String(bytes).utf16.makeIterator()
        while let unit = rest.next() {
            guard unit == UInt16(UInt8(ascii: "\\")), let letter = rest.next() else {
                units.append(unit)
                continue
            }
            switch Character(UnicodeScalar(letter) ?? "\u{FFFD}") {
            case "n": units.append(0x0A)
            case "t": units.append(0x09)
            case "r": units.append(0x0D)
            case "b": units.append(0x08)
            case "f": units.append(0x0C)
            case "u":
                let digits = (0..<4).compactMap { _ in rest.next() }
                let text = String(decoding: digits, as: UTF16.self)
                if let value = UInt16(text, radix: 16), digits.count == 4 {
                    units.append(value)
                } else {
                    units += Array("\\u\(text)".utf16)
                }
            default: units.append(letter)
            }
        }
        return String(decoding: units, as: UTF16.self)
    }
}
