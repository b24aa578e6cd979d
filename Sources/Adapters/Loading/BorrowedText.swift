import Glibc

/// Text in a plugin's memory, copied with a bound.
enum BorrowedText {
    /// - Parameter what: Names the text in the refusal, e.g. "the vendor of in.example.zerodha".
    static func optional(
        _ pointer: UnsafePointer<CChar>?, what: String, limit: Int = 256
    ) throws(PluginRefusal) -> String? {
        guard let pointer else { return nil }
        let length = strnlen(pointer, limit + 1)
        guard length <= limit else { throw PluginRefusal("\(what) is longer than \(limit) bytes") }
        let bytes = UnsafeRawBufferPointer(start: pointer, count: length)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PluginRefusal("\(what) is not valid UTF-8")
        }
        // It ends up in terminals and log files.
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw PluginRefusal("\(what) holds control characters")
        }
        return text
    }

    static func required(
        _ pointer: UnsafePointer<CChar>?, what: String, limit: Int = 256
    ) throws(PluginRefusal) -> String {
        guard let text = try optional(pointer, what: what, limit: limit) else {
            throw PluginRefusal("\(what) is missing")
        }
        guard !text.isEmpty else { throw PluginRefusal("\(what) is empty") }
        return text
    }

    /// `[a-z0-9_]`: broker keys, settings.
    static func isKeyByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
    }

    /// `[A-Z0-9_]`: exchanges.
    static func isExchangeByte(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
    }

    /// `[A-Za-z0-9._-]`: ids.
    static func isIdentifierByte(_ byte: UInt8) -> Bool {
        isKeyByte(byte) || (0x41...0x5A).contains(byte) || byte == 0x2E || byte == 0x2D
    }
}
