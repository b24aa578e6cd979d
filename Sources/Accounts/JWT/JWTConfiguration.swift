import MarketData
import Secrets

/// What makes a token good. Nothing is downloaded: keys come from files and are read again when the files change.
public struct JWTConfiguration: Sendable {
    /// A signature algorithm. There is no other, and none that means "unsigned".
    public enum Algorithm: String, Sendable, Hashable, CaseIterable {
        /// HMAC with SHA-256: one secret signs and verifies.
        case hs256 = "HS256"
        /// RSA, PKCS #1 v1.5, with SHA-256; keys of 2048 bits and more.
        case rs256 = "RS256"
        /// ECDSA on P-256 with SHA-256.
        case es256 = "ES256"
    }

    /// Those that count; empty: those that there are keys for.
    public var algorithms: Set<Algorithm> = []
    /// For HS256, at least 32 bytes; nil when there is none or when it is in ``secretFile``.
    public var secret: Secret?
    /// Holds the secret; a line end behind it does not count.
    public var secretFile: String?
    /// PEM files, a public key each: RSA for RS256, P-256 for ES256.
    public var publicKeyFiles: [String] = []
    /// A JWK set (RFC 7517).
    public var keySetFile: String?
    /// `jti`s of tokens that no longer count, one a line; `#` begins a comment.
    public var revokedFile: String?
    /// What `iss` must be; nil: it is not looked at.
    public var issuer: String?
    /// What `aud` must hold; nil: a token with an `aud` is for somebody else (RFC 7519 section 4.1.3).
    public var audience: String?
    /// By how much clocks may differ, in seconds.
    public var leeway: Double = 30
    /// Whether a token without `exp` is refused.
    public var requiresExpiry = true

    public init() {}

    /// The files that are read, in no particular order.
    var files: [String] { publicKeyFiles + [secretFile, keySetFile, revokedFile].compactMap(\.self) }
}

/// Why tokens cannot be verified with what was configured; a sentence for the person who did.
public struct JWTConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Never holds a key.
    public let description: String
    public init(_ description: String) { self.description = description }
}
