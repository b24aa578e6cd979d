/// The ways in which a secret is written down: as it is, percent-encoded, in hexadecimal, in base64 and as JSON escapes it.
///
/// The room in which they are spelled is wiped.
struct SecretForms {
    private static let lowercase: StaticString = "0123456789abcdef"
    private static let uppercase: StaticString = "0123456789ABCDEF"
    private static let base64: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    private static let base64URL: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    private let bytes: UnsafeRawBufferPointer
    private let room: UnsafeMutableRawBufferPointer
    private var count = 0

    /// Calls `take` with each form; some come twice.
    /// - Parameter secret: UTF-8, at least ``Redaction/shortest`` bytes.
    static func each(of secret: UnsafeRawBufferPointer, _ take: (Secret) -> Void) {
        // JSON makes six characters of a control character.
        withUnsafeTemporaryAllocation(byteCount: secret.count * 6 + 8, alignment: 1) { room in
            defer { room.wipe() }
            var forms = SecretForms(bytes: secret, room: room)
            take(Secret(bytes: secret))
            for digits in [lowercase, uppercase] {
                take(forms.spelled { $0.percent(digits) })
                take(forms.spelled { $0.hexadecimal(digits) })
            }
            for escapesSlash in [false, true] { take(forms.spelled { $0.json(escapesSlash: escapesSlash) }) }
            for alphabet in [base64, base64URL] {
                // Encoded alone; then behind so many bytes of something else, and in front of more.
                take(forms.spelled { $0.base64(alphabet, offset: 0) })
                for offset in 0...2 {
                    take(
                        forms.spelled(without: [0, 2, 3][offset], (offset + secret.count) % 3 == 0 ? 0 : 1) {
                            $0.base64(alphabet, offset: offset)
                        })
                }
            }
        }
    }

    private init(bytes: UnsafeRawBufferPointer, room: UnsafeMutableRawBufferPointer) {
        self.bytes = bytes
        self.room = room
    }

    /// - Parameters:
    ///   - head: Characters at the beginning that depend on what stands before.
    ///   - tail: Those at the end that depend on what follows.
    private mutating func spelled(without head: Int = 0, _ tail: Int = 0, _ spell: (inout SecretForms) -> Void)
        -> Secret
    {
        count = 0
        spell(&self)
        return Secret(bytes: UnsafeRawBufferPointer(rebasing: room[head..<(count - tail)]))
    }

    private mutating func append(_ byte: UInt8) {
        room[count] = byte
        count += 1
    }

    private mutating func append(_ byte: UInt8, _ digits: StaticString) {
        append(digits.utf8Start[Int(byte >> 4)])
        append(digits.utf8Start[Int(byte & 15)])
    }

    private mutating func percent(_ digits: StaticString) {
        for byte in bytes {
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
            if isPlain {
                append(byte)
            } else {
                append(UInt8(ascii: "%"))
                append(byte, digits)
            }
        }
    }

    private mutating func hexadecimal(_ digits: StaticString) {
        for byte in bytes { append(byte, digits) }
    }

    /// RFC 8259 section 7; a slash may be escaped, and some writers do.
    private mutating func json(escapesSlash: Bool) {
        for byte in bytes {
            let short: UInt8? =
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
                case UInt8(ascii: "/"): escapesSlash ? byte : nil
                case 8: UInt8(ascii: "b")
                case 9: UInt8(ascii: "t")
                case 10: UInt8(ascii: "n")
                case 12: UInt8(ascii: "f")
                case 13: UInt8(ascii: "r")
                default: nil
                }
            if let short {
                append(UInt8(ascii: "\\"))
                append(short)
            } else if byte < 0x20 {
                for character in "\\u00".utf8 { append(character) }
                append(byte, Self.lowercase)
            } else {
                append(byte)
            }
        }
    }

    /// Without the padding: that way it is found with and without.
    private mutating func base64(_ alphabet: StaticString, offset: Int) {
        var (buffer, bits) = (0, offset * 8)
        for byte in bytes {
            // The bytes before are zeros here, and what they come to is cut off.
            while bits >= 6 { take(alphabet, &buffer, &bits) }
            (buffer, bits) = ((buffer << 8 | Int(byte)) & 0xFFFFFF, bits + 8)
        }
        while bits >= 6 { take(alphabet, &buffer, &bits) }
        if bits > 0 { append(alphabet.utf8Start[buffer << (6 - bits) & 63]) }
    }

    private mutating func take(_ alphabet: StaticString, _ buffer: inout Int, _ bits: inout Int) {
        bits -= 6
        append(alphabet.utf8Start[buffer >> bits & 63])
    }
}
