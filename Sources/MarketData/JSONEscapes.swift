/// Texts of JSON without their escapes.
enum JSONEscapes {
    /// - Parameter bytes: What stands between the quotes of a well-formed string.
    /// - Returns: Nil when it is no text: not UTF-8, or half of a surrogate pair.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.contains(UInt8(ascii: "\\")) else { return String(validating: bytes, as: UTF8.self) }
        var text: [UInt8] = []
        var at = 0
        while at < bytes.count {
            guard bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count else {
                text.append(bytes[at])
                at += 1
                continue
            }
            let kind = bytes[at + 1]
            if kind == UInt8(ascii: "u") {
                guard let scalar = scalar(in: bytes, at: &at) else { return nil }
                text += String(scalar).utf8
            } else {
                text.append(plain(kind))
                at += 2
            }
        }
        return String(validating: text, as: UTF8.self)
    }

    /// The character behind a backslash, for all but `u`.
    private static func plain(_ kind: UInt8) -> UInt8 {
        switch kind {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: kind
        }
    }

    /// Reads `\uXXXX`, or two of them that are a pair.
    private static func scalar(in bytes: UnsafeRawBufferPointer, at: inout Int) -> Unicode.Scalar? {
        guard let high = unit(in: bytes, at: at) else { return nil }
        at += 6
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard (0xD800..<0xDC00).contains(high), let low = unit(in: bytes, at: at), (0xDC00..<0xE000).contains(low)
        else { return nil }
        at += 6
        return Unicode.Scalar(0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
    }

    private static func unit(in bytes: UnsafeRawBufferPointer, at: Int) -> UInt16? {
        guard at + 6 <= bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else {
            return nil
        }
        return UInt16(String(decoding: bytes[(at + 2)..<(at + 6)], as: UTF8.self), radix: 16)
    }
}
