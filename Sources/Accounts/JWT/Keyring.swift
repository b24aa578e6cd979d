import Crypto
import Foundation
import MarketData
import Secrets

/// All keys of this moment, and the tokens that were revoked.
struct Keyring: Sendable {
    private let keys: [TokenKey]
    /// Ids of tokens, as ``keyID(of:)``.
    private(set) var revoked: Set<Int64> = []
    let algorithms: Set<JWTConfiguration.Algorithm>
    /// Fingerprints of all keys.
    var fingerprints: Set<[UInt8]> { Set(keys.map(\.fingerprint)) }
    /// A token without key id is tried with so many keys, and no more: each costs time.
    private static let mostTried = 4

    /// Reads every file; asynchronous so that no caller's actor waits for a disk.
    /// - Throws: ``JWTConfigurationError``.
    init(_ configuration: JWTConfiguration) async throws {
        var keys: [TokenKey] = []
        if let secret = configuration.secret { keys.append(try .secret(secret, from: "jwt.secret")) }
        if let path = configuration.secretFile {
            var bytes = try WatchedFile(path: path).read()
            while bytes.last == UInt8(ascii: "\n") || bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            defer { Wipe.zero(&bytes) }
            keys.append(try .secret(bytes.withUnsafeBytes { Secret(bytes: $0) }, from: path))
        }
        for path in configuration.publicKeyFiles {
            keys.append(try .pem(WatchedFile(path: path).read(), from: path))
        }
        if let path = configuration.keySetFile {
            keys += try TokenKey.set(WatchedFile(path: path).read(), from: path)
        }
        let found = Set(keys.map(\.algorithm))
        guard !keys.isEmpty else {
            throw JWTConfigurationError(
                "There is no key that tokens could be verified with: set jwt.secret or jwt.secret_file (HS256), jwt.public_keys (PEM) or jwt.key_set (JWKS)."
            )
        }
        if let missing = configuration.algorithms.subtracting(found).map(\.rawValue).min() {
            throw JWTConfigurationError("jwt.algorithms allows \(missing), and there is no key for it.")
        }
        algorithms = configuration.algorithms.isEmpty ? found : configuration.algorithms
        self.keys = keys
        if let path = configuration.revokedFile { revoked = Self.revoked(try WatchedFile(path: path).read()) }
    }

    /// The key that signed the token.
    /// - Throws: ``FeedError`` when there is none.
    func signer(of token: CompactToken) throws -> TokenKey {
        guard algorithms.contains(token.algorithm) else {
            throw FeedError(
                .authentication, "The token is signed with \(token.algorithm.rawValue), which is not allowed here")
        }
        guard let signer = try candidates(for: token).prefix(Self.mostTried).first(where: { $0.signed(token) }) else {
            throw FeedError(.authentication, "The token's signature is wrong")
        }
        return signer
    }

    private func candidates(for token: CompactToken) throws -> [TokenKey] {
        let fitting = keys.filter { $0.algorithm == token.algorithm }
        // Where keys have no ids, that of a token says nothing.
        guard let id = token.keyID, keys.contains(where: { $0.id != nil }) else { return fitting }
        guard let key = fitting.first(where: { $0.id == id }) else {
            throw FeedError(.authentication, "The token was signed with a key that this host does not know (kid)")
        }
        return [key]
    }

    /// A number for a token: of its `jti`, or of what was signed. Not of the signature: one content has many with ES256.
    static func keyID(of claims: TokenClaims, _ token: CompactToken) -> Int64 {
        if let id = claims.id { return number("jti \(id)") }
        return number("token " + String(decoding: token.signedBytes, as: UTF8.self))
    }

    private static func revoked(_ bytes: [UInt8]) -> Set<Int64> {
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        return Set(
            lines.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
                .map { number("jti \($0)") })
    }

    /// 63 bits of a digest, never 0, which means "none".
    private static func number(_ text: String) -> Int64 {
        let bits = SHA256.hash(data: Data(text.utf8)).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return max(1, Int64(bits >> 1))
    }
}
