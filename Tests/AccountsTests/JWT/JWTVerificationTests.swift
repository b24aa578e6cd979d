import Foundation
import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

struct JWTVerificationTests {
    private let forge = TokenForge.shared

    /// Examples A.1, A.2 and A.3 of RFC 7515: signatures that others have made.
    @Test func examplesOfTheSpecification() async throws {
        let folder = try TemporaryFolder()
        let set = """
            {"keys":[
            {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
             "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
            {"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}]}
            """
        try Data(set.utf8).write(to: URL(fileURLWithPath: folder.file("set.json")))
        let octets =
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
        let secret = try #require(Base64URL.decode(octets.utf8))
        var configuration = JWTConfiguration()
        configuration.secret = secret.withUnsafeBytes { Secret(bytes: $0) }
        configuration.keySetFile = folder.file("set.json")
        let keyring = try await Keyring(configuration)
        let payload =
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        let hs256 =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\(payload).dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let es256 =
            "eyJhbGciOiJFUzI1NiJ9.\(payload).DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        let rs256 =
            "eyJhbGciOiJSUzI1NiJ9.\(payload).cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        for token in [hs256, es256, rs256] {
            let taken = try CompactToken(Secret(token))
            #expect(try keyring.signer(of: taken).algorithm == taken.algorithm)
        }
    }

    @Test(arguments: ["HS256", "RS256", "ES256"]) func eachAlgorithm(_ algorithm: String) async throws {
        let accounts = try await forge.everyKey()
        let token = try forge.sign(TokenForge.claims(), algorithm)
        let account = try await accounts.authenticate(key: Secret(token))
        #expect(account.user == "alice" && account.broker == "zerodha" && account.brokers == ["zerodha"])
        #expect(account.permissions == .everything)
        #expect(account.expires == Int64(TokenForge.now + 630) * 1000)
        #expect(account.keyID > 0)
        // Of another key of the same kind.
        let stranger = try TokenForge.other.sign(
            TokenForge.claims(), algorithm, secret: String(repeating: "x", count: 40))
        #expect(await accounts.refusal(stranger) == "The token's signature is wrong")
    }

    @Test(arguments: ["HS256", "RS256", "ES256"]) func anyChangeOfAnySegment(_ algorithm: String) async throws {
        let accounts = try await forge.everyKey()
        let token = Array(try forge.sign(TokenForge.claims(), algorithm).utf8)
        for index in token.indices {
            var bad = token
            bad[index] = token[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(await accounts.refusal(String(decoding: bad, as: UTF8.self)) != nil, "byte \(index)")
        }
        for length in 0..<token.count {
            #expect(await accounts.refusal(String(decoding: token.prefix(length), as: UTF8.self)) != nil)
        }
    }

    @Test(arguments: ["none", "None", "NONE", "HS384", "PS256", "EdDSA", "", "hs256"])
    func otherAlgorithms(_ name: String) async throws {
        let accounts = try await forge.everyKey()
        let header = #"{"alg":"\#(name)"}"#
        let refusal = "The token is signed in a way that is not allowed here"
        for algorithm in ["unsigned", "HS256"] {
            let token = try forge.sign(TokenForge.claims(), algorithm, header: header)
            #expect(await accounts.refusal(token) == refusal)
        }
    }

    /// The classic: what everybody may know is used as the secret.
    @Test func aPublicKeyIsNoSecret() async throws {
        let folder = try TemporaryFolder()
        let pem = try forge.rsaPEM()
        try Data(pem.utf8).write(to: URL(fileURLWithPath: folder.file("rsa.pem")))
        var configuration = JWTConfiguration()
        configuration.publicKeyFiles = [folder.file("rsa.pem")]
        let accounts = try await TokenForge.accounts(configuration)
        for secret in [pem, pem.trimmingCharacters(in: .newlines)] {
            let token = try forge.sign(TokenForge.claims(), "HS256", secret: secret)
            #expect(await accounts.refusal(token) == "The token is signed with HS256, which is not allowed here")
        }
        configuration.algorithms = [.hs256]
        await #expect(throws: JWTConfigurationError.self) { _ = try await TokenForge.accounts(configuration) }
        configuration = TokenForge.configuration { $0.secret = Secret(pem) }
        await #expect(throws: JWTConfigurationError.self) { _ = try await TokenForge.accounts(configuration) }
        // A header that says another algorithm than the key's.
        let both = try await forge.everyKey()
        let crossed = try forge.sign(TokenForge.claims(), "ES256", header: #"{"alg":"RS256"}"#)
        #expect(await both.refusal(crossed) == "The token's signature is wrong")
    }

    @Test func algorithmsThatAreNotOnTheList() async throws {
        let accounts = try await forge.everyKey { $0.algorithms = [.es256] }
        #expect(await accounts.refusal(try forge.sign(TokenForge.claims(), "ES256")) == nil)
        for algorithm in ["HS256", "RS256"] {
            #expect(
                await accounts.refusal(try forge.sign(TokenForge.claims(), algorithm))
                    == "The token is signed with \(algorithm), which is not allowed here")
        }
    }

    /// The list counts whatever keys there are, and `none` is on no list.
    @Test(arguments: [
        [], ["HS256"], ["RS256"], ["ES256"], ["HS256", "RS256"], ["RS256", "ES256"], ["HS256", "RS256", "ES256"],
    ])
    func onlyAlgorithmsOnTheList(_ listed: [String]) async throws {
        let accounts = try await forge.everyKey {
            $0.algorithms = Set(listed.compactMap(JWTConfiguration.Algorithm.init(rawValue:)))
        }
        #expect(
            await Set(accounts.algorithms.map(\.rawValue))
                == Set(listed.isEmpty ? ["HS256", "RS256", "ES256"] : listed))
        for algorithm in ["HS256", "RS256", "ES256"] {
            let isListed = listed.isEmpty || listed.contains(algorithm)
            #expect(
                await accounts.refusal(try forge.sign(TokenForge.claims(), algorithm))
                    == (isListed ? nil : "The token is signed with \(algorithm), which is not allowed here"))
        }
        for name in ["none", "None", "NONE", "nOnE", "", "HS384", "hs256"] {
            let header = #"{"alg":"\#(name)","typ":"JWT"}"#
            for signer in ["none", "HS256", "ES256"] {
                let token = try forge.sign(TokenForge.claims(), signer, header: header)
                #expect(
                    await accounts.refusal(token) == "The token is signed in a way that is not allowed here",
                    "\(name) signed as \(signer)")
            }
        }
    }

    @Test(arguments: [
        ("", "The API key is not a signed token (JWT)"), ("a.b", "The API key is not a signed token (JWT)"),
        ("a.b.c.d", "The API key is not a signed token (JWT)"),
        (String(repeating: "a", count: 64), "The API key is not a signed token (JWT)"),
        ("..", "The token is damaged: its header makes no sense"),
        ("e30.e30.", "The token is damaged: its header makes no sense"),
        ("e30=.e30.", "The token is damaged: it is not base64url"),
        ("e 30.e30.", "The token is damaged: it is not base64url"),
        (String(repeating: "a.", count: 5000), "The token is longer than 8192 bytes"),
    ]) func noToken(_ text: String, _ refusal: String) async throws {
        #expect(await (try TokenForge.accounts()).refusal(text) == refusal)
    }

    @Test(arguments: [#"{"alg":"HS256","crit":["b64"],"b64":false}"#, #"{"alg":"HS256","crit":null}"#])
    func whatIsCritical(_ header: String) async throws {
        let token = try forge.sign(TokenForge.claims(), header: header)
        #expect(
            await (try TokenForge.accounts()).refusal(token)
                == "The token demands extensions (crit) that this host does not have")
    }

    /// One text is one token: the bits behind the last byte of a segment are zero.
    @Test func oneSpelling() {
        #expect(Base64URL.decode("TQ".utf8) == [0x4D])
        #expect(Base64URL.decode("TR".utf8) == nil && Base64URL.decode("TQ==".utf8) == nil)
        #expect(Base64URL.decode("T".utf8) == nil && Base64URL.decode("TQ\n".utf8) == nil)
        #expect(Base64URL.decode("-_-_".utf8) == [0xFB, 0xFF, 0xBF] && Base64URL.decode("+/+/".utf8) == nil)
        for length in 0..<70 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(Base64URL.decode(TokenForge.base64(Data(bytes)).utf8) == bytes)
        }
    }

    /// No part of a token or of the secret is in a refusal or in the log.
    @Test func nothingSecretIsSaid() async throws {
        let lines = LogLines()
        let accounts = try await TokenForge.accounts(lines: lines)
        let token = try forge.sign(TokenForge.claims(), secret: String(repeating: "canary", count: 8))
        let said = "\(await accounts.refusal(token) ?? "") \(lines.text)"
        for part in token.split(separator: ".").map(String.init) + ["canary"] { #expect(!said.contains(part)) }
    }
}
