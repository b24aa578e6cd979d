import Crypto
import CryptoExtras
import Foundation
import MarketData
import Secrets

/// Reads what OpenAlgo has encrypted in its database.
///
/// Its key comes from the pepper by PBKDF2-HMAC-SHA256, 100,000 rounds. The salt is `FERNET_SALT`, or a fixed text in
/// installations that are older than that setting; rows of a half migration may be under either, so both are tried.
struct TokenCipher: Sendable {
    private static let rounds = 100_000
    private static let legacySalt = Data("openalgo_static_salt".utf8)
    /// Hexadecimal digits; OpenAlgo ignores a shorter salt.
    private static let shortestSalt = 32

    private let keys: [Fernet]

    /// Takes tens of milliseconds.
    init(pepper: Secret, salt: Secret?) throws {
        let salts = [salt.flatMap { Self.bytes(hex: $0.revealed) }, Self.legacySalt].compactMap(\.self)
        keys = try salts.compactMap { salt in
            Fernet(
                key: try KDF.Insecure.PBKDF2.deriveKey(
                    from: pepper.withBytes { Data($0) }, salt: salt, using: .sha256, outputByteCount: 32,
                    unsafeUncheckedRounds: Self.rounds))
        }
    }

    /// The text of a token; empty for an empty one, as OpenAlgo has it; nil when no key fits.
    func open(_ token: String) -> Secret? {
        if token.isEmpty { return Secret("") }
        for key in keys {
            if let text = key.open(token) { return text }
        }
        return nil
    }

    /// Nil for what OpenAlgo does not take as a salt.
    static func bytes(hex text: String) -> Data? {
        let digits = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard digits.count >= shortestSalt, digits.utf8.count % 2 == 0 else { return nil }
        var bytes = Data()
        var rest = Substring(digits)
        while !rest.isEmpty {
            guard rest.prefix(2).allSatisfy({ $0.isASCII && $0.isHexDigit }),
                let byte = UInt8(rest.prefix(2), radix: 16)
            else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
