import Crypto
import Foundation
import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

struct CryptoTests {
    /// The example of the Fernet specification.
    @Test func fernetOfTheSpecification() throws {
        let key = try #require(Data(base64Encoded: "cw/0x689RpI+jtRR7oE8h/eQsKImvJapLeSbXpwF4e4="))
        let fernet = try #require(Fernet(key: SymmetricKey(data: key)))
        let token =
            "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
        #expect(fernet.open(token) == Secret("hello"))
        // Without padding, and with a line end behind it.
        #expect(fernet.open(String(token.dropLast(2)) + "\n") == Secret("hello"))
    }

    @Test func fernetRefusesWhateverWasChanged() throws {
        let key = SymmetricKey(data: Data(repeating: 7, count: 32))
        let fernet = try #require(Fernet(key: key))
        let good = try Installation.seal(Data("a token".utf8), key.withUnsafeBytes { Data($0) })
        #expect(fernet.open(good.base64EncodedString()) == Secret("a token"))
        for index in good.indices {
            var bad = good
            bad[index] ^= 1
            #expect(fernet.open(bad.base64EncodedString()) == nil)
        }
        for length in 0..<good.count { #expect(fernet.open(good.prefix(length).base64EncodedString()) == nil) }
        #expect(fernet.open("gAAAA not base64") == nil)
        #expect(Fernet(key: SymmetricKey(data: Data(count: 16))) == nil)
    }

    /// Signed rightly, and still no text: what a wrong implementation would crash on.
    @Test func fernetWithBadPaddingOrNoText() throws {
        let key = Data(repeating: 9, count: 32)
        let fernet = try #require(Fernet(key: SymmetricKey(data: key)))
        func signed(_ cipher: Data) -> String {
            let body = Data([0x80]) + Data(count: 24) + cipher
            let mac = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: key.prefix(16)))
            return (body + mac).base64EncodedString()
        }
        for length in [0, 1, 15, 16, 17, 32] {
            #expect(fernet.open(signed(Data(repeating: 0xA5, count: length))) == nil)
        }
        let binary = try Installation.seal(Data([0xFF, 0xFE, 0xFD]), key)
        #expect(fernet.open(binary.base64EncodedString()) == nil)
    }

    /// Any text: no crash. `FEEDHOST_FUZZ` is how many; `FEEDHOST_FUZZ_SEED` repeats a run.
    @Test func fernetWithNoise() throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["FEEDHOST_FUZZ_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...(.max))
        let count = environment["FEEDHOST_FUZZ"].flatMap { Int($0) } ?? 5_000
        print("tokens of OpenAlgo: FEEDHOST_FUZZ_SEED=\(seed)")
        var noise = SeededNumbers(seed: seed)
        let key = Data(repeating: 1, count: 32)
        let fernet = try #require(Fernet(key: SymmetricKey(data: key)))
        for _ in 0..<count {
            let bytes = Data(
                (0..<Int.random(in: 0...200, using: &noise)).map { _ in UInt8.random(in: 0...255, using: &noise) })
            #expect(fernet.open(bytes.base64EncodedString()) == nil)
            #expect(fernet.open(String(decoding: bytes, as: UTF8.self)) == nil)
            // Signed rightly, so that what is inside is decrypted. One in a great many may be a text.
            let body = Data([0x80]) + bytes
            let mac = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: key.prefix(16)))
            _ = fernet.open((body + mac).base64EncodedString())
        }
    }

    @Test func bothSaltsAreTried() throws {
        let cipher = try TokenCipher(pepper: Secret(Installation.pepper), salt: Secret(" \(Installation.salt)\n"))
        #expect(cipher.open(Installation.encrypt("new")) == Secret("new"))
        #expect(cipher.open(Installation.encrypt("old", key: Installation.legacyKey)) == Secret("old"))
        #expect(cipher.open(Installation.encrypt("stranger", key: Data(count: 32))) == nil)
        #expect(cipher.open("") == Secret(""))
        #expect(cipher.open("pending") == nil)
    }

    @Test(arguments: [
        "", "abcd", "placeholder-text-that-is-no-hexadecimal", String(repeating: "a", count: 33),
        "+1-1" + String(repeating: "0", count: 40),
    ])
    func whatOpenAlgoDoesNotTakeAsSaltIsTheLegacyOne(salt: String) throws {
        #expect(TokenCipher.bytes(hex: salt) == nil)
        let cipher = try TokenCipher(pepper: Secret(Installation.pepper), salt: Secret(salt))
        #expect(cipher.open(Installation.encrypt("old", key: Installation.legacyKey)) == Secret("old"))
    }

    @Test func argon2() {
        let hash = Installation.hash("key")
        #expect(hash.hasPrefix("$argon2id$v=19$m=64,t=1,p=2$"))
        #expect(Argon2.verify(Secret("key" + Installation.pepper), hash: hash))
        #expect(!Argon2.verify(Secret("kez" + Installation.pepper), hash: hash))
        #expect(!Argon2.verify(Secret(""), hash: hash))
    }

    /// Damaged rows fit nothing, and none of them costs gigabytes or minutes.
    @Test(arguments: [
        "", "$", "argon2", "$argon2id$v=19$m=64,t=1,p=2$AAAA", "$argon2i$v=19$m=64,t=1,p=2$MDEyMzQ1Njc$AAAA",
        "$argon2id$v=19$m=4294967295,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=65536,t=4000000000,p=4$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=x,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$t=3$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAA",
    ])
    func badHashes(hash: String) {
        #expect(!Argon2.verify(Secret("key"), hash: hash))
    }
}
