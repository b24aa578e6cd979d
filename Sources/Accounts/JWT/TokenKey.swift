import Crypto
import Foundation
import JWTKit
import MarketData
import Secrets

/// A key that verifies one algorithm and no other: what a token's header says never decides how a key is used.
struct TokenKey: Sendable {
    let id: String?
    let algorithm: JWTConfiguration.Algorithm
    /// Tells keys apart without showing them.
    let fingerprint: [UInt8]
    private let verifier: any JWTAlgorithm

    /// Whether the token's signature is this key's.
    func signed(_ token: CompactToken) -> Bool {
        guard token.algorithm == algorithm, verifier.name == algorithm.rawValue else { return false }
        return (try? verifier.verify(token.signature, signs: token.signedBytes)) ?? false
    }

    private init(
        id: String?, _ algorithm: JWTConfiguration.Algorithm, material: some DataProtocol,
        _ add: (JWTKeyCollection) async throws -> Void
    ) async throws {
        let collection = JWTKeyCollection()
        try await add(collection)
        verifier = try await collection.getKey()
        self.id = id
        self.algorithm = algorithm
        var hash = SHA256()
        hash.update(data: Data("\(algorithm.rawValue) \(id ?? "") ".utf8))
        hash.update(data: material)
        fingerprint = Array(hash.finalize())
    }

    // MARK: Reading

    /// - Throws: ``JWTConfigurationError``.
    static func secret(_ secret: Secret, from place: String) async throws -> TokenKey {
        var bytes = secret.withBytes { Array($0) }
        defer { Wipe.zero(&bytes) }
        guard bytes.count >= 32 else {
            throw JWTConfigurationError(
                "\(place): a secret for HS256 needs 32 bytes or more, and this has \(bytes.count). `openssl rand -hex 32` makes one."
            )
        }
        // Else whoever has the public key could sign.
        guard !bytes.contains("-----BEGIN".utf8), !bytes.contains("\"kty\"".utf8) else {
            throw JWTConfigurationError(
                "\(place): this is a key and not a secret for HS256; set jwt.public_keys or jwt.key_set to the file that holds it."
            )
        }
        do {
            return try await TokenKey(id: nil, .hs256, material: bytes) { [bytes] in
                _ = await $0.add(hmac: HMACKey(from: bytes), digestAlgorithm: .sha256)
            }
        } catch {
            throw JWTConfigurationError("\(place): the secret cannot be used.")
        }
    }

    /// - Throws: ``JWTConfigurationError``.
    static func pem(_ bytes: [UInt8], from path: String) async throws -> TokenKey {
        let text = String(decoding: bytes, as: UTF8.self)
        guard !text.contains("PRIVATE KEY") else {
            throw JWTConfigurationError("\(path) holds a private key; the host needs the public one alone.")
        }
        if let key = try? ES256PublicKey(pem: text) {
            return try await TokenKey(id: nil, .es256, material: Data(key.pemRepresentation.utf8)) {
                await $0.add(ecdsa: key)
            }
        }
        if let key = try? Insecure.RSA.PublicKey(pem: text) {
            return try await TokenKey(id: nil, .rs256, material: Data(key.pemRepresentation.utf8)) {
                _ = await $0.add(rsa: key, digestAlgorithm: .sha256)
            }
        }
        throw JWTConfigurationError(
            "\(path) holds no public key in PEM that can be used: RSA of 2048 bits or more, or P-256.")
    }

    /// The keys of a set that are of use here; those that are not are left out (RFC 7517 section 5).
    /// - Throws: ``JWTConfigurationError`` when it is no set, holds a private key, or an id twice.
    static func set(_ bytes: [UInt8], from path: String) async throws -> [TokenKey] {
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
            guard let key = try? await TokenKey(entry) else { continue }
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

    private init?(_ entry: KeySet.Entry) async throws {
        guard entry.use ?? "sig" == "sig", entry.key_ops?.contains("verify") ?? true else { return nil }
        switch (entry.kty, entry.alg ?? "") {
        case ("RSA", ""), ("RSA", "RS256"):
            guard let modulus = entry.n, let exponent = entry.e else { return nil }
            let key = try Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent)
            try await self.init(id: entry.kid, .rs256, material: Data(key.pemRepresentation.utf8)) {
                _ = await $0.add(rsa: key, digestAlgorithm: .sha256)
            }
        case ("EC", ""), ("EC", "ES256"):
            guard entry.crv == "P-256", let x = entry.x, let y = entry.y else { return nil }
            let key = try ES256PublicKey(parameters: (x, y))
            try await self.init(id: entry.kid, .es256, material: Data(key.pemRepresentation.utf8)) {
                await $0.add(ecdsa: key)
            }
        default: return nil
        }
    }
}

/// A JWK set as it is written (RFC 7517, RFC 7518 section 6).
private struct KeySet: Decodable {
    struct Entry: Decodable {
        let kty: String
        let kid, use, alg, crv, n, e, x, y, d, k: String?
        let key_ops: [String]?
    }
    let keys: [Entry]
}
