/// Tells whether bytes are one JSON object, without building it. Publishers from outside are not trusted: what is not
/// JSON would break the envelope around it.
public enum JSONCheck {
    /// Deeper nesting is refused.
    public static let maximumNesting = 64

    /// True for one well-formed JSON object in valid UTF-8, with nothing but white space around it.
    public static func isObject(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var scanner = Scanner(bytes: bytes)
        scanner.skipSpace()
        guard scanner.peek == UInt8(ascii: "{"), scanner.value(depth: 0) else { return false }
        scanner.skipSpace()
        return scanner.at == bytes.count && (scanner.isASCII || String(validating: bytes, as: UTF8.self) != nil)
    }

    /// The text behind a key of the outermost object; nil if there is none, or none that is a text.
    public static func text(of key: StaticString, in bytes: UnsafeRawBufferPointer) -> String? {
        var scanner = Scanner(bytes: bytes)
        scanner.skipSpace()
        guard scanner.take(UInt8(ascii: "{")) else { return nil }
        while true {
            scanner.skipSpace()
            let name = scanner.at
            guard scanner.string() else { return nil }
            let matches = scanner.slice(from: name).elementsEqual(
                UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
            scanner.skipSpace()
            guard scanner.take(UInt8(ascii: ":")) else { return nil }
            scanner.skipSpace()
            let start = scanner.at
            guard scanner.value(depth: 1) else { return nil }
            if matches {
                guard bytes[start] == UInt8(ascii: "\"") else { return nil }
                let text = scanner.slice(from: start)
                return JSONEscapes.decode(text)
            }
            scanner.skipSpace()
            guard scanner.take(UInt8(ascii: ",")) else { return nil }
        }
    }

    private struct Scanner {
        let bytes: UnsafeRawBufferPointer
        var at = 0
        var isASCII = true

        var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

        @inline(__always)
        mutating func skipSpace() {
            while at < bytes.count,
                bytes[at] == 0x20 || (bytes[at] >= 0x09 && bytes[at] <= 0x0D && bytes[at] != 0x0B && bytes[at] != 0x0C)
            {
                at += 1
            }
        }

        /// What stands between the quotes of the string that began at `start` and has just been read.
        func slice(from start: Int) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: bytes[(start + 1)..<max(start + 1, at - 1)])
        }

        mutating func take(_ byte: UInt8) -> Bool {
            guard peek == byte else { return false }
            at += 1
            return true
        }

        mutating func value(depth: Int) -> Bool {
            guard depth < maximumNesting, let first = peek else { return false }
            switch first {
            case UInt8(ascii: "{"): return object(depth: depth)
            case UInt8(ascii: "["): return array(depth: depth)
            case UInt8(ascii: "\""): return string()
            case UInt8(ascii: "t"): return literal("true")
            case UInt8(ascii: "f"): return literal("false")
            case UInt8(ascii: "n"): return literal("null")
            default: return number()
            }
        }

        mutating func object(depth: Int) -> Bool {
            at += 1
            skipSpace()
            if take(UInt8(ascii: "}")) { return true }
            while true {
                guard string() else { return false }
                skipSpace()
                guard take(UInt8(ascii: ":")) else { return false }
                skipSpace()
                guard value(depth: depth + 1) else { return false }
                skipSpace()
                if take(UInt8(ascii: "}")) { return true }
                guard take(UInt8(ascii: ",")) else { return false }
                skipSpace()
            }
        }

        mutating func array(depth: Int) -> Bool {
            at += 1
            skipSpace()
            if take(UInt8(ascii: "]")) { return true }
            while true {
                guard value(depth: depth + 1) else { return false }
                skipSpace()
                if take(UInt8(ascii: "]")) { return true }
                guard take(UInt8(ascii: ",")) else { return false }
                skipSpace()
            }
        }

        mutating func string() -> Bool {
            guard take(UInt8(ascii: "\"")) else { return false }
            while at < bytes.count {
                let byte = bytes[at]
                at += 1
                switch byte {
                case UInt8(ascii: "\""): return true
                case UInt8(ascii: "\\"): guard escape() else { return false }
                case 0..<0x20: return false
                case 0x80...: isASCII = false
                default: break
                }
            }
            return false
        }

        mutating func escape() -> Bool {
            guard let kind = peek else { return false }
            at += 1
            switch kind {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                return true
            case UInt8(ascii: "u"):
                for _ in 0..<4 {
                    guard let digit = peek, isHex(digit) else { return false }
                    at += 1
                }
                return true
            default: return false
            }
        }

        mutating func number() -> Bool {
            _ = take(UInt8(ascii: "-"))
            if !take(UInt8(ascii: "0")) { guard digits() else { return false } }
            if take(UInt8(ascii: ".")) { guard digits() else { return false } }
            if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
                at += 1
                if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
                return digits()
            }
            return true
        }

        mutating func digits() -> Bool {
            let start = at
            while at < bytes.count, bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9") { at += 1 }
            return at > start
        }

        mutating func literal(_ text: StaticString) -> Bool {
            let length = text.utf8CodeUnitCount
            guard at + length <= bytes.count else { return false }
            for index in 0..<length where bytes[at + index] != text.utf8Start[index] { return false }
            at += length
            return true
        }

        func isHex(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                UInt8(ascii: "A")...UInt8(ascii: "F"):
                true
            default: false
            }
        }
    }
}
