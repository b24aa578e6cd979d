/// Takes known secrets out of text that somebody else has written: an adapter's log lines and messages.
///
/// A secret is found as it is, percent-encoded, in hexadecimal and in base64 (when it was encoded alone); of values such
/// as `key:token` each part counts too. Secrets of fewer than ``shortest`` bytes are left: they would hide ordinary words.
public struct Redaction: Sendable {
    /// Bytes.
    public static let shortest = 6
    public static let replacement = "‹secret›"

    /// The longest first, so that no part is taken out before the whole.
    private let forms: [Secret]

    public init(_ secrets: [Secret] = []) {
        var forms: Set<Secret> = []
        for secret in secrets {
            secret.withBytes { bytes in
                for part in [bytes]
                    + bytes.split(separator: UInt8(ascii: ":")).map({ UnsafeRawBufferPointer(rebasing: $0) })
                where part.count >= Redaction.shortest {
                    forms.insert(Secret(bytes: part))
                    for encoded in [Self.percent(part), Self.hexadecimal(part), Self.base64(part)] {
                        encoded.withUnsafeBytes { _ = forms.insert(Secret(bytes: $0)) }
                    }
                }
            }
        }
        self.forms = forms.sorted { one, other in one.withBytes(\.count) > other.withBytes(\.count) }
    }

    public func clean(_ text: String) -> String {
        guard !forms.isEmpty, !text.isEmpty else { return text }
        var bytes = Array(text.utf8)
        var isChanged = false
        for form in forms {
            form.withBytes { form in
                var start = 0
                while let found = Self.find(form, in: bytes, from: start) {
                    bytes.replaceSubrange(found..<(found + form.count), with: Redaction.replacement.utf8)
                    start = found + Redaction.replacement.utf8.count
                    isChanged = true
                }
            }
        }
        return isChanged ? String(decoding: bytes, as: UTF8.self) : text
    }

    private static func find(_ form: UnsafeRawBufferPointer, in bytes: [UInt8], from start: Int) -> Int? {
        guard let first = form.first, bytes.count >= form.count else { return nil }
        var index = start
        while index <= bytes.count - form.count {
            if bytes[index] == first, bytes[index..<(index + form.count)].elementsEqual(form) { return index }
            index += 1
        }
        return nil
    }

    private static func percent(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        bytes.flatMap { byte -> [UInt8] in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
            return isPlain ? [byte] : [UInt8(ascii: "%")] + digits(byte, "0123456789ABCDEF")
        }
    }

    private static func hexadecimal(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        bytes.flatMap { digits($0, "0123456789abcdef") }
    }

    private static func digits(_ byte: UInt8, _ digits: StaticString) -> [UInt8] {
        digits.withUTF8Buffer { [$0[Int(byte >> 4)], $0[Int(byte & 15)]] }
    }

    /// Without the padding: that way it is found with and without.
    private static func base64(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        var (buffer, bits) = (0, 0)
        for byte in bytes {
            (buffer, bits) = ((buffer << 8 | Int(byte)) & 0xFFFFFF, bits + 8)
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[buffer >> bits & 63])
            }
        }
        if bits > 0 { text.append(alphabet[buffer << (6 - bits) & 63]) }
        return text
    }
}
