import Crypto
import Foundation
import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

/// Keys in files, several at a time, and files that change.
struct JWTKeyFileTests {
    private let forge = TokenForge.shared
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name + ".new")))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder.file(name + ".new"))
        _ = rename(folder.file(name + ".new"), folder.file(name))
    }

    private func keySet(_ keys: String...) throws -> JWTConfiguration {
        try write("set.json", "{\"keys\":[\(keys.joined(separator: ","))]}")
        var configuration = JWTConfiguration()
        configuration.keySetFile = folder.file("set.json")
        return configuration
    }

    private func trouble(_ configuration: JWTConfiguration) async -> String? {
        do {
            _ = try await TokenForge.accounts(configuration)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func keysByTheirIDs() async throws {
        let other = TokenForge.other
        let accounts = try await TokenForge.accounts(
            keySet(forge.jwk("ES256", kid: "a"), other.jwk("ES256", kid: "b"), forge.jwk("RS256", kid: "c")))
        let claims = TokenForge.claims()
        #expect(await accounts.refusal(try forge.sign(claims, "ES256", kid: "a")) == nil)
        #expect(await accounts.refusal(try other.sign(claims, "ES256", kid: "b")) == nil)
        #expect(await accounts.refusal(try forge.sign(claims, "RS256", kid: "c")) == nil)
        #expect(await accounts.refusal(try other.sign(claims, "ES256")) == nil)
        #expect(await accounts.refusal(try forge.sign(claims, "ES256", kid: "b")) == "The token's signature is wrong")
        let unknown = "The token was signed with a key that this host does not know (kid)"
        for (algorithm, id) in [("ES256", "d"), ("ES256", "c"), ("RS256", "a"), ("ES256", "")] {
            #expect(await accounts.refusal(try forge.sign(claims, algorithm, kid: id)) == unknown)
        }
    }

    @Test func theSecretInAFile() async throws {
        try write("secret", TokenForge.secret + "\r\n")
        var configuration = JWTConfiguration()
        configuration.secretFile = folder.file("secret")
        let lines = LogLines()
        let accounts = try await TokenForge.accounts(configuration, lines: lines)
        // There are no ids here, so that of a token says nothing.
        #expect(await accounts.refusal(try forge.sign(TokenForge.claims(), kid: "whatever")) == nil)
        #expect(lines.text.isEmpty)
        try write("secret", TokenForge.secret, mode: 0o644)
        _ = try await TokenForge.accounts(configuration, lines: lines)
        #expect(lines.text.contains("chmod 600") && !lines.text.contains("canary"))
    }

    @Test func whatCannotBeUsed() async throws {
        #expect(await trouble(JWTConfiguration())?.hasPrefix("There is no key") == true)
        let short = await trouble(TokenForge.configuration { $0.secret = Secret("canary-too-short") })
        #expect(short?.contains("32 bytes or more, and this has 16") == true && short?.contains("canary") == false)
        #expect(
            await trouble(TokenForge.configuration { $0.algorithms = [.hs256, .es256] })
                == "jwt.algorithms allows ES256, and there is no key for it.")
        var configuration = TokenForge.configuration()
        configuration.publicKeyFiles = [folder.file("key.pem")]
        #expect(await trouble(configuration)?.contains("cannot be read: No such file") == true)
        for (text, sentence) in [
            (forge.p256.pemRepresentation, "holds a private key"), ("nonsense", "holds no public key in PEM"),
            ("", "holds no public key in PEM"), (String(repeating: "x", count: 2 << 20), "is larger than"),
        ] {
            try write("key.pem", text)
            #expect(await trouble(configuration)?.contains(sentence) == true, "\(sentence)")
        }
        try write("key.pem", forge.p256.publicKey.pemRepresentation, mode: 0o666)
        #expect(await trouble(configuration)?.contains("can be written by everybody") == true)
        configuration.publicKeyFiles = [folder.path]
        #expect(await trouble(configuration)?.contains("is no regular file") == true)
    }

    @Test func setsThatCannotBeUsed() async throws {
        let key = try forge.jwk("ES256", kid: "a")
        let rsa512 = #"{"kty":"RSA","e":"AQAB","n":"\#(TokenForge.base64(Data(repeating: 0xC5, count: 64)))"}"#
        for (keys, sentence) in [
            ("[]", "holds no key for RS256"), ("{}", "is no JWK set"), ("[1]", "is no JWK set"),
            (#"[{"kty":"oct","k":"AAAA","kid":"s"}]"#, "holds a private key or a secret"),
            ("[\(key.replacing(#""kid""#, with: #""d":"AAAA","kid""#))]", "holds a private key or a secret"),
            ("[\(key),\(key)]", "has the key id \"a\" twice"),
            ("[\(key.replacing("P-256", with: "P-521"))]", "holds no key for RS256"),
            ("[\(key.replacing(#""kty""#, with: #""use":"enc","kty""#))]", "holds no key for RS256"),
            ("[\(rsa512)]", "holds no key for RS256"),
        ] {
            var configuration = try keySet()
            try write("set.json", "{\"keys\":\(keys)}")
            configuration.requiresExpiry = true
            #expect(await trouble(configuration)?.contains(sentence) == true, "\(sentence)")
        }
        // What is of no use beside what is.
        #expect(await trouble(try keySet(#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#, rsa512, key)) == nil)
    }

    /// With padding, or in the other alphabet: sets are found written so, and read; other texts are no numbers.
    @Test func numbersOfKeysAsOthersWriteThem() async throws {
        for algorithm in ["ES256", "RS256"] {
            let key = try forge.jwk(algorithm, kid: "a")
            let token = try forge.sign(TokenForge.claims(), algorithm, kid: "a")
            let numbers = algorithm == "ES256" ? ["x", "y"] : ["n"]
            let pattern = try Regex("\"(\(numbers.joined(separator: "|")))\":\"([A-Za-z0-9_-]+)\"")
            func rewritten(_ change: (Substring) -> String) -> String {
                key.replacing(pattern) { "\"\($0[1].substring ?? "")\":\"\(change($0[2].substring ?? ""))\"" }
            }
            let padded = rewritten { String($0) + String(repeating: "=", count: (4 - $0.count % 4) % 4) }
            let standard = rewritten { String($0).replacing("-", with: "+").replacing("_", with: "/") }
            for good in [padded, standard] {
                #expect(try await TokenForge.accounts(keySet(good)).refusal(token) == nil, "\(good)")
            }
            for bad in [rewritten { "\($0)!" }, rewritten { " \($0)" }, rewritten { String($0.dropLast(5)) }] {
                #expect(await trouble(try keySet(bad))?.contains("holds no key for RS256") == true, "\(bad)")
            }
        }
    }

    @Test func aNewSetCountsAtOnce() async throws {
        let other = TokenForge.other
        let accounts = try await TokenForge.accounts(keySet(forge.jwk("ES256", kid: "a")))
        let (old, new) = (
            try forge.sign(TokenForge.claims(), "ES256", kid: "a"),
            try other.sign(TokenForge.claims(), "ES256", kid: "b")
        )
        let account = try await accounts.authenticate(key: Secret(old))
        #expect(await accounts.refusal(new) != nil)
        _ = try keySet(other.jwk("ES256", kid: "b"))
        #expect(await accounts.refusal(new) == nil)
        #expect(await accounts.refusal(old) != nil)
        // Who came in with the old key is told to come anew.
        var changes = accounts.changes.makeAsyncIterator()
        #expect(await changes.next() == AccountChange(.keyChanged(keyID: account.keyID)))
    }

    @Test func aDamagedSetChangesNothing() async throws {
        let lines = LogLines()
        let accounts = try await TokenForge.accounts(keySet(forge.jwk("ES256", kid: "a")), lines: lines)
        let token = try forge.sign(TokenForge.claims(), "ES256", kid: "a")
        try write("set.json", "{\"keys\":[")
        #expect(await accounts.refusal(token) == nil)
        #expect(await accounts.refusal(token) == nil)
        #expect(await accounts.trouble?.contains("is no JWK set") == true)
        // Said once.
        #expect(lines.text.split(separator: "\n").count == 1)
        try FileManager.default.removeItem(atPath: folder.file("set.json"))
        #expect(await accounts.refusal(token) == nil)
        #expect(await accounts.trouble?.contains("No such file") == true)
        _ = try keySet(forge.jwk("ES256", kid: "a"))
        await accounts.look()
        #expect(await accounts.trouble == nil)
    }

    @Test func revokedTokens() async throws {
        try write("revoked", "# nobody\n")
        let configuration = TokenForge.configuration { $0.revokedFile = folder.file("revoked") }
        let accounts = try await TokenForge.accounts(configuration)
        let token = try forge.sign(TokenForge.claims())
        let account = try await accounts.authenticate(key: Secret(token))
        try write("revoked", "# left the company\n  token-1  \r\nanother\n\n")
        #expect(await accounts.refusal(token) == "The token was revoked")
        var changes = accounts.changes.makeAsyncIterator()
        let told = [await changes.next()?.kind, await changes.next()?.kind]
        #expect(told.contains(.keyRevoked(keyID: account.keyID)))
        // A list that is gone does not let anybody back in.
        try FileManager.default.removeItem(atPath: folder.file("revoked"))
        #expect(await accounts.refusal(token) == "The token was revoked")
    }

    @Test func aTokenThatIsTakenOffTheListCountsAgain() async throws {
        try write("revoked", "token-1\n")
        let configuration = TokenForge.configuration { $0.revokedFile = folder.file("revoked") }
        let accounts = try await TokenForge.accounts(configuration)
        let token = try forge.sign(TokenForge.claims())
        #expect(await accounts.refusal(token) == "The token was revoked")
        try write("revoked", "# a mistake\n")
        #expect(await accounts.refusal(token) == nil)
    }

    @Test func changesAreSeenWithoutAnybodyAsking() async throws {
        try write("revoked", "")
        let configuration = TokenForge.configuration { $0.revokedFile = folder.file("revoked") }
        let accounts = try await TokenForge.accounts(configuration)
        let clock = TickedClock()
        let run = Task { await accounts.run(clock: clock) }
        await clock.waitUntilSlept()
        try write("revoked", "token-1\n")
        clock.tick()
        var changes = accounts.changes.makeAsyncIterator()
        guard case .keyRevoked = await changes.next()?.kind else {
            Issue.record("not revoked")
            return
        }
        run.cancel()
        clock.tick()
        await run.value
        #expect(await changes.next() == nil)
    }
}
