import Crypto
import Foundation

/// The key that credentials in the store are encrypted with: 32 random bytes. swift-crypto overwrites them when the last copy
/// is gone.
struct MasterKey: Sendable {
    static let byteCount = 32

    let key: SymmetricKey
    /// Tells keys apart without giving anything of them away; stored beside what was encrypted.
    let id: String

    /// A new one from the system's random source.
    init() { self.init(SymmetricKey(size: .bits256)) }

    private init(_ key: SymmetricKey) {
        self.key = key
        let mark = HMAC<SHA256>.authenticationCode(for: Data("feedhost master key id".utf8), using: key)
        id = Self.hex(mark.prefix(8))
    }

    /// Reads 64 hexadecimal digits, or Base64 of 32 bytes; white space around them does not matter. Nil for anything else.
    init?(text: [UInt8]) {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let core = text.drop(while: isSpace)
        guard let end = core.lastIndex(where: { !isSpace($0) }) else { return nil }
        var digits = Array(core[...end])
        defer { Wipe.zero(&digits) }
        guard var bytes = Self.bytes(hex: digits) ?? Self.bytes(base64: digits) else { return nil }
        defer { Wipe.zero(&bytes) }
        guard bytes.count == Self.byteCount else { return nil }
        self.init(SymmetricKey(data: bytes))
    }

    /// As a key file holds it. Wipe it after use.
    var fileText: [UInt8] {
        key.withUnsafeBytes { bytes in
            var text: [UInt8] = []
            // Without room for all of it, a growing array leaves copies behind.
            text.reserveCapacity(bytes.count * 2 + 1)
            for byte in bytes { text += [Self.digits[Int(byte >> 4)], Self.digits[Int(byte & 15)]] }
            text.append(UInt8(ascii: "\n"))
            return text
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func bytes(hex text: [UInt8]) -> [UInt8]? {
        guard text.count == byteCount * 2 else { return nil }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        for (index, digit) in text.enumerated() {
            guard let value = Character(UnicodeScalar(digit)).hexDigitValue else {
                Wipe.zero(&bytes)
                return nil
            }
            bytes[index / 2] = bytes[index / 2] << 4 | UInt8(value)
        }
        return bytes
    }

    private static func bytes(base64 text: [UInt8]) -> [UInt8]? {
        var encoded = Data(text)
        defer { Wipe.zero(&encoded) }
        guard var decoded = Data(base64Encoded: encoded) else { return nil }
        defer { Wipe.zero(&decoded) }
        return Array(decoded)
    }
}
