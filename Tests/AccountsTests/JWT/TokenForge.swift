import TestSupport
import Crypto
import CryptoExtras
import Foundation
import MarketData
import Secrets

@testable import Accounts

/// Signs whatever it is given, as issuers do and as they should not.
struct TokenForge {
    static let secret = "canary-secret-of-at-least-thirty-two-bytes"
    static let other = TokenForge()
    static let shared = TokenForge()
    /// The time of all tests, seconds since 1970.
    static let now = 1_800_000_000.0

    let p256 = P256.Signing.PrivateKey()
    private let rsa = try? _RSA.Signing.PrivateKey(keySize: .bits2048)

    struct NoKey: Error {}

    func rsaKey() throws -> _RSA.Signing.PrivateKey {
        guard let rsa else { throw NoKey() }
        return rsa
    }

    func rsaPEM() throws -> String { try rsaKey().publicKey.pemRepresentation }

    /// The public keys as entries of a set.
    func jwk(_ algorithm: String, kid: String?) throws -> String {
        let id = kid.map { #","kid":"\#($0)""# } ?? ""
        if algorithm == "ES256" {
            let point = p256.publicKey.rawRepresentation
            return
                #"{"kty":"EC","crv":"P-256","x":"\#(Self.base64(point.prefix(32)))","y":"\#(Self.base64(point.suffix(32)))"\#(id)}"#
        }
        let numbers = try rsaKey().publicKey.getKeyPrimitives()
        return
            #"{"kty":"RSA","alg":"RS256","use":"sig","n":"\#(Self.base64(numbers.modulus))","e":"\#(Self.base64(numbers.publicExponent))"\#(id)}"#
    }

    /// - Parameter secret: For HS256.
    func sign(
        _ payload: String, _ algorithm: String = "HS256", kid: String? = nil, secret: String = TokenForge.secret,
        header: String? = nil
    ) throws -> String {
        let id = kid.map { #","kid":"\#($0)""# } ?? ""
        let header = header ?? #"{"alg":"\#(algorithm)","typ":"JWT"\#(id)}"#
        let input = Self.base64(Data(header.utf8)) + "." + Self.base64(Data(payload.utf8))
        let bytes = Data(input.utf8)
        let signature: Data =
            switch algorithm {
            case "HS256":
                Data(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: Data(secret.utf8))))
            case "ES256": try p256.signature(for: bytes).rawRepresentation
            case "RS256":
                try rsaKey().signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation
            default: Data()
            }
        return input + "." + Self.base64(signature)
    }

    static func base64(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Claims of a good token, with more claims, or with others in their place.
    static func claims(_ more: String = "", without names: Set<String> = []) -> String {
        let all = [
            ("sub", #""alice""#), ("broker", #""zerodha""#), ("exp", "\(Int(now) + 600)"), ("jti", #""token-1""#),
        ]
        let kept = all.filter { !names.contains($0.0) }.map { "\"\($0)\":\($1)" }
        return "{" + (kept + (more.isEmpty ? [] : [more])).joined(separator: ",") + "}"
    }

    static func configuration(_ change: (inout JWTConfiguration) -> Void = { _ in }) -> JWTConfiguration {
        var configuration = JWTConfiguration()
        configuration.secret = Secret(secret)
        change(&configuration)
        return configuration
    }

    static func accounts(
        _ configuration: JWTConfiguration = configuration(), lines: LogLines = LogLines(), now: Double = TokenForge.now,
        isKnown: (@Sendable (String) async throws -> Bool)? = nil
    ) async throws -> JWTAccounts {
        try await JWTAccounts(configuration, logger: lines.logger, isKnown: isKnown, now: { now })
    }

    /// Accounts with this forge's key for each algorithm.
    func everyKey(_ change: (inout JWTConfiguration) -> Void = { _ in }) async throws -> JWTAccounts {
        let folder = try TemporaryFolder()
        try Data(rsaPEM().utf8).write(to: URL(fileURLWithPath: folder.file("rsa.pem")))
        try Data(p256.publicKey.pemRepresentation.utf8).write(to: URL(fileURLWithPath: folder.file("ec.pem")))
        let configuration = Self.configuration {
            $0.publicKeyFiles = [folder.file("rsa.pem"), folder.file("ec.pem")]
            change(&$0)
        }
        let accounts = try await Self.accounts(configuration)
        // The files stay until the accounts have read them; afterwards they go on with what they have.
        withExtendedLifetime(folder) {}
        return accounts
    }
}

extension JWTAccounts {
    /// The refusal's sentence; nil for a token that is let in.
    func refusal(_ token: String) async -> String? {
        do {
            _ = try await authenticate(key: Secret(token))
            return nil
        } catch {
            return "\(error)"
        }
    }
}
