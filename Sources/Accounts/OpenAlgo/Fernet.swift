import Crypto
import CryptoExtras
import Foundation
import MarketData
import Secrets

/// Opens Fernet tokens (github.com/fernet/spec): version 0x80, time, IV, AES-128-CBC text, HMAC-SHA256 over all before.
///
/// Their age is not looked at: OpenAlgo stores them for as long as a login lasts.
struct Fernet: Sendable {
    private static let version: UInt8 = 0x80
    private static let blockSize = 16
    private static let macSize = 32
    /// Version, time and IV.
    private static let headSize = 1 + 8 + blockSize

    private let signing: SymmetricKey
    private let encryption: SymmetricKey

    /// - Parameter key: 32 bytes: the first half signs, the second encrypts.
    init?(key: SymmetricKey) {
        guard key.bitCount == 256 else { return nil }
        let bytes = key.withUnsafeBytes { Array($0) }
        signing = SymmetricKey(data: bytes[..<16])
        encryption = SymmetricKey(data: bytes[16...])
    }

    /// The text inside; nil when the token is not one, was changed, or belongs to another key.
    func open(_ token: String) -> Secret? {
        guard let bytes = Self.decode(token), bytes.count >= Self.headSize + Self.blockSize + Self.macSize,
            bytes.first == Self.version
        else { return nil }
        let body = bytes.dropLast(Self.macSize)
        guard
            HMAC<SHA256>.isValidAuthenticationCode(bytes.suffix(Self.macSize), authenticating: body, using: signing),
            let iv = try? AES._CBC.IV(ivBytes: body.prefix(Self.headSize).suffix(Self.blockSize)),
            var text = try? AES._CBC.decrypt(body.dropFirst(Self.headSize), using: encryption, iv: iv)
        else { return nil }
        defer { Wipe.zero(&text) }
        return text.withUnsafeBytes { Secret(utf8: $0) }
    }

    /// Base64 of the URL's alphabet, with or without padding.
    private static func decode(_ token: String) -> Data? {
        var text = token.trimmingCharacters(in: .whitespacesAndNewlines)
            .replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        while text.utf8.count % 4 != 0 { text += "=" }
        return Data(base64Encoded: text)
    }
}
