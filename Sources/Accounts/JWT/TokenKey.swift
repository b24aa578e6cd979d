import Crypto
import CryptoExtras
import Foundation
import MarketData
import Secrets

/// A key that verifies one algorithm and no other: what a token's header says never decides how a key is used.
struct TokenKey: Sendable {
    /// The one use of a key, fixed when it is read.
    private enum Verifier: Sendable {
        case hs256(SymmetricKey)
        case rs256(_RSA.Signing.PublicKey)
        case es256(P256.Signing.PublicKey)

        var algorithm: JWTConfiguration.Algorithm {
            switch self {
            case .hs256: .hs256
            case .rs256: .rs256
            case .es256: .es256
            }
        }
    }

    let id: String?
    /// Tells keys apart without showing them.
    let fingerprint: [UInt8]
    private let verifier: Verifier

    var algorithm: JWTConfiguration.Algorithm { verifier.algorithm }

    /// Whether the token's signature is this key's.
    func signed(_ token: CompactToken) -> Bool {
        guard token.algorithm == algorithm else { return false }
        switch verifier {
        case .hs256(let key):
            // Compares in a time that does not tell how much of it is right.
            return HMAC<SHA256>.isValidAuthenticationCode(
                token.signature, authenticating: token.signedBytes, using: key)
        case .rs256(let key):
            return key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: token.signature),
                for: SHA256.hash(data: token.signedBytes), padding: .insecurePKCS1v1_5)
        case .es256(let key):
            // The two numbers in 64 bytes, never DER (RFC 7518 section 3.4).
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: token.signature) else {
                return false
            }
            return key.isValidSignature(signature, for: token.signedBytes)
        }
    }

    private init(id: String? = nil, _ verifier: Verifier, material: some DataProtocol) {
        self.id = id
        self.verifier = verifier
        var hash = SHA256()
        hash.update(data: Data("\(verifier.algorithm.rawValue) \(id ?? "") ".utf8))
        hash.update(data: material)
        fingerprint = Array(hash.finalize())
    }

    init(id: String? = nil, _ key: _RSA.Signing.PublicKey) {
        self.init(id: id, .rs256(key), material: Data(key.pemRepresentation.utf8))
    }

    init(id: String? = nil, _ key: P256.Signing.PublicKey) {
        self.init(id: id, .es256(key), material: Data(key.pemRepresentation.utf8))
    }

    // MARK: Reading

    /// - Throws: ``JWTConfigurationError``.
    static func secret(_ secret: Secret, from place: String) throws -> TokenKey {
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
        return TokenKey(.hs256(SymmetricKey(data: bytes)), material: bytes)
    }

    /// - Throws: ``JWTConfigurationError``.
    static func pem(_ bytes: [UInt8], from path: String) throws -> TokenKey {
        let text = String(decoding: bytes, as: UTF8.self)
        guard !text.contains("PRIVATE KEY") else {
            throw JWTConfigurationError("\(path) holds a private key; the host needs the public one alone.")
        }
        if let key = try? P256.Signing.PublicKey(pemRepresentation: text) { return TokenKey(key) }
        // Refuses those of fewer than 2048 bits.
        if let key = try? _RSA.Signing.PublicKey(pemRepresentation: text) { return TokenKey(key) }
        throw JWTConfigurationError(
            "\(path) holds no public key in PEM that can be used: RSA of 2048 bits or more, or P-256.")
    }
}
