import Crypto
import CryptoExtras
import Foundation

/// A JWK set as it is written (RFC 7517, RFC 7518 section 6).
private struct KeySet: Decodable {
    struct Entry: Decodable {
        let kty: String
        let kid, use, alg, crv, n, e, x, y, d, k: String?
        let key_ops: [String]?
    }
    let keys: [Entry]

    /// Numbers of keys are read as they are found in the wild, unlike tokens: with padding or without, in either alphabet.
    static func bytes(_ text: String) -> Data? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4))
    }
}

extension TokenKey {
    /// The keys of a set that are of use here; those that are not are left out (RFC 7517 section 5).
    /// - Throws: ``JWTConfigurationError`` when it is no set, holds a private key, or an id twice.
    static func set(_ bytes: [UInt8], from path: String) throws -> [TokenKey] {
        guard let set = try? JSONDecoder().decode(KeySet.self, from: Data(bytes)) else {
            throw JWTConfigurationError("\(path) is no JWK set: an object with a list `keys` is wanted (RFC 7517).")
        }
        var keys: [TokenKey] = []
        for entry in set.keys {
            guard entry.d == nil, entry.k == nil else {
                throw JWTConfigurationError(
                    "\(path) holds a private key or a secret (kid \(AccountNames.shown(entry.kid ?? "")); the host needs public ones alone."
                )
            }
            guard let key = try? TokenKey(entry) else { continue }
            guard key.id == nil || !keys.contains(where: { $0.id == key.id }) else {
                throw JWTConfigurationError("\(path) has the key id \(AccountNames.shown(key.id ?? "")) twice.")
            }
            keys.append(key)
        }
        guard !keys.isEmpty else {
            throw JWTConfigurationError("\(path) holds no key for RS256 or ES256.")
        }
        return keys
    }

    private init?(_ entry: KeySet.Entry) throws {
        guard entry.use ?? "sig" == "sig", entry.key_ops?.contains("verify") ?? true else { return nil }
        switch (entry.kty, entry.alg ?? "") {
        case ("RSA", ""), ("RSA", "RS256"):
            guard let modulus = entry.n.flatMap(KeySet.bytes), let exponent = entry.e.flatMap(KeySet.bytes) else {
                return nil
            }
            self.init(id: entry.kid, try _RSA.Signing.PublicKey(n: modulus, e: exponent))
        case ("EC", ""), ("EC", "ES256"):
            guard entry.crv == "P-256", let x = entry.x.flatMap(KeySet.bytes), let y = entry.y.flatMap(KeySet.bytes)
            else { return nil }
            // 4: both coordinates follow (SEC 1 section 2.3.3).
            self.init(id: entry.kid, try P256.Signing.PublicKey(x963Representation: [4] + x + y))
        default: return nil
        }
    }
}
