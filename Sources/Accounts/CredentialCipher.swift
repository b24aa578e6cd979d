import Crypto
import Foundation
import MarketData
import Secrets

/// Encrypts single credentials: AES-256-GCM, a random nonce for each, and whose they are as associated data, so that a value that
/// somebody puts into another row does not open there.
///
/// A random nonce of 96 bits is safe for 2^32 values under one key; nobody sets that many credentials.
struct CredentialCipher {
    /// Which row a value belongs to.
    struct Place {
        let owner: Int64
        let broker: String
        let name: String

        /// Lengths first: no two places look alike.
        fileprivate var bytes: Data {
            var bytes = Data("feedhost credential".utf8)
            withUnsafeBytes(of: owner.littleEndian) { bytes.append(contentsOf: $0) }
            for text in [broker, name] {
                withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
                bytes.append(contentsOf: text.utf8)
            }
            return bytes
        }
    }

    /// The first byte of every value: another way of encrypting gets another number.
    private static let format: UInt8 = 1
    let key: MasterKey

    /// Format, nonce, text, tag.
    func seal(_ value: Secret, _ place: Place) throws -> Data {
        let box = try value.withBytes { try AES.GCM.seal($0, using: key.key, authenticating: place.bytes) }
        guard let combined = box.combined else { throw CryptoKitError.incorrectParameterSize }
        return Data([Self.format]) + combined
    }

    /// Nil when the value was changed, or belongs elsewhere.
    func open(_ bytes: Data, _ place: Place) -> Secret? {
        guard bytes.first == Self.format, let box = try? AES.GCM.SealedBox(combined: bytes.dropFirst()),
            var text = try? AES.GCM.open(box, using: key.key, authenticating: place.bytes)
        else { return nil }
        defer { Wipe.zero(&text) }
        return text.withUnsafeBytes { Secret(bytes: $0) }
    }
}
