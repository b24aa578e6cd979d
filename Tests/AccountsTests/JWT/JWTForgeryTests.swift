import Crypto
import CryptoExtras
import Foundation
import MarketData
import Secrets
import Testing

@testable import Accounts

/// Tokens as somebody would make them who wants in without a key. The host has a key for each algorithm.
struct JWTForgeryTests {
    private let forge = TokenForge.shared
    private static let wrong = "The token's signature is wrong"
    private static let damaged = "The token is damaged: it is not base64url"
    private static let senseless = "The token is damaged: its header makes no sense"
    private static let notAllowed = "The token is signed in a way that is not allowed here"
    private static let noToken = "The API key is not a signed token (JWT)"

    private func refuses(
        _ token: String, _ sentence: String?, _ accounts: JWTAccounts, _ what: String,
        _ location: SourceLocation = #_sourceLocation
    ) async {
        #expect(await accounts.refusal(token) == sentence, Comment(rawValue: what), sourceLocation: location)
    }

    /// The first two segments.
    private func signed(_ algorithm: String) throws -> String {
        let token = try forge.sign(TokenForge.claims(), algorithm)
        return String(token[..<(token.lastIndex(of: ".") ?? token.endIndex)])
    }

    // MARK: Algorithms

    @Test func headersThatNameNoAlgorithm() async throws {
        let accounts = try await forge.everyKey()
        for (header, sentence) in [
            (#"{"alg":"none"}"#, Self.notAllowed), (#"{"alg":"None"}"#, Self.notAllowed),
            (#"{"alg":"nonE"}"#, Self.notAllowed), (#"{"alg":"none ","typ":"JWT"}"#, Self.notAllowed),
            (#"{"alg":" HS256"}"#, Self.notAllowed), (#"{"alg":"HS256\u0000"}"#, Self.notAllowed),
            (#"{"alg":"HS256,RS256"}"#, Self.notAllowed), (#"{"alg":"HS512"}"#, Self.notAllowed),
            (#"{"alg":"ES256K"}"#, Self.notAllowed), (#"{"alg":"dir","enc":"A128GCM"}"#, Self.notAllowed),
            (#"{"alg":null}"#, Self.senseless), (#"{"alg":["HS256"]}"#, Self.senseless),
            (#"{"alg":256}"#, Self.senseless), (#"{"alg":{"name":"HS256"}}"#, Self.senseless),
            (#"{"Alg":"HS256"}"#, Self.senseless), (#"{"typ":"JWT"}"#, Self.senseless),
            (#"["HS256"]"#, Self.senseless), (#""HS256""#, Self.senseless), ("null", Self.senseless),
            (#"{"alg":"HS256"} {}"#, Self.senseless), (#"{"alg":"HS256","kid":7}"#, Self.senseless),
            (#"{"alg":"HS256","kid":null}"#, Self.senseless), (#"{'alg':'HS256'}"#, Self.senseless),
        ] {
            // Unsigned, and with what the secret makes of it.
            for algorithm in ["none", "HS256"] {
                await refuses(
                    try forge.sign(TokenForge.claims(), algorithm, header: header), sentence, accounts, header)
            }
        }
    }

    /// A key verifies its own algorithm, whatever the header says.
    @Test func everyAlgorithmUnderAnotherName() async throws {
        let accounts = try await forge.everyKey()
        let all = ["HS256", "RS256", "ES256"]
        for signer in all {
            for name in all where name != signer {
                let token = try forge.sign(TokenForge.claims(), signer, header: #"{"alg":"\#(name)"}"#)
                await refuses(token, Self.wrong, accounts, "\(signer) as \(name)")
            }
        }
    }

    /// What everybody may know, used as the secret: every form in which a public key is written.
    @Test func publicKeysAsSecrets() async throws {
        let accounts = try await forge.everyKey()
        let (rsa, ec) = (try forge.rsaKey().publicKey, forge.p256.publicKey)
        let texts = [
            rsa.pemRepresentation, rsa.pemRepresentation + "\n", rsa.pkcs1PEMRepresentation,
            try forge.jwk("RS256", kid: nil), ec.pemRepresentation, ec.pemRepresentation + "\n",
            try forge.jwk("ES256", kid: nil),
        ]
        let keys =
            texts.map { Data($0.utf8) } + [
                rsa.derRepresentation, try rsa.getKeyPrimitives().modulus, ec.derRepresentation, ec.rawRepresentation,
                ec.x963Representation, Data(), Data(count: 32), Data(count: 64),
            ]
        let input = try signed("HS256")
        for key in keys {
            let code = HMAC<SHA256>.authenticationCode(for: Data(input.utf8), using: SymmetricKey(data: key))
            await refuses(input + "." + TokenForge.base64(Data(code)), Self.wrong, accounts, "\(key.count) bytes")
        }
    }

    // MARK: Signatures

    @Test func signaturesOfTheWrongForm() async throws {
        let accounts = try await forge.everyKey()
        let rsaKey = try forge.rsaKey()
        let (hs256, rs256, es256) = (try signed("HS256"), try signed("RS256"), try signed("ES256"))
        let code = Data(
            HMAC<SHA256>.authenticationCode(
                for: Data(hs256.utf8), using: SymmetricKey(data: Data(TokenForge.secret.utf8))))
        let wide = Data(
            HMAC<SHA512>.authenticationCode(
                for: Data(hs256.utf8), using: SymmetricKey(data: Data(TokenForge.secret.utf8))))
        let digest = SHA256.hash(data: Data(rs256.utf8))
        let block = try rsaKey.signature(for: digest, padding: .insecurePKCS1v1_5).rawRepresentation
        let pss = try rsaKey.signature(for: digest, padding: .PSS).rawRepresentation
        let ofSHA512 = try rsaKey.signature(
            for: SHA512.hash(data: Data(rs256.utf8)), padding: .insecurePKCS1v1_5
        ).rawRepresentation
        let modulus = try rsaKey.publicKey.getKeyPrimitives().modulus
        let pair = try forge.p256.signature(for: Data(es256.utf8))
        let (r, s) = (pair.rawRepresentation.prefix(32), pair.rawRepresentation.suffix(32))
        let zero = Data(count: 32)
        let order = Data(
            try #require(Base64URL.decode("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE".utf8)))
        for (what, input, signature) in [
            ("HS256: none", hs256, Data()), ("HS256: zeros", hs256, Data(count: 32)),
            ("HS256: one byte", hs256, code.prefix(1)), ("HS256: half", hs256, code.prefix(16)),
            ("HS256: a byte less", hs256, code.prefix(31)), ("HS256: a byte more", hs256, code + Data([0])),
            ("HS256: twice", hs256, code + code), ("HS256: in hexadecimal", hs256, hexadecimal(code)),
            ("HS256: HS512", hs256, wide), ("HS256: HS512 cut off", hs256, wide.prefix(32)),
            ("RS256: none", rs256, Data()), ("RS256: zeros", rs256, Data(count: 256)),
            ("RS256: one", rs256, Data(count: 255) + Data([1])), ("RS256: a byte less", rs256, block.dropLast()),
            ("RS256: a byte more", rs256, block + Data([0])), ("RS256: a zero before", rs256, Data([0]) + block),
            ("RS256: without its first byte", rs256, block.dropFirst()), ("RS256: the modulus", rs256, modulus),
            ("RS256: PSS", rs256, pss), ("RS256: of SHA-512", rs256, ofSHA512),
            ("RS256: the digest", rs256, Data(digest)),
            ("ES256: none", es256, Data()), ("ES256: DER", es256, pair.derRepresentation),
            ("ES256: zeros", es256, zero + zero), ("ES256: r is 0", es256, zero + s),
            ("ES256: s is 0", es256, r + zero),
            ("ES256: the order of the curve", es256, order + order), ("ES256: s is the order", es256, r + order),
            ("ES256: the wrong way round", es256, s + r), ("ES256: a byte less", es256, r + s.dropLast()),
            ("ES256: a byte more", es256, r + s + Data([0])), ("ES256: r alone", es256, r),
            ("ES256: of P-384's size", es256, Data(count: 16) + r + Data(count: 16) + s),
        ] as [(String, String, Data)] {
            await refuses(input + "." + TokenForge.base64(signature), Self.wrong, accounts, what)
        }
        // The good ones, so that the table above says something.
        for (input, signature) in [(hs256, code), (rs256, block), (es256, pair.rawRepresentation)] {
            await refuses(input + "." + TokenForge.base64(signature), nil, accounts, "good")
        }
    }

    /// Parts of good tokens, put together anew.
    @Test(arguments: ["HS256", "RS256", "ES256"]) func partsOfOthers(_ algorithm: String) async throws {
        let accounts = try await forge.everyKey()
        func parts(_ claims: String) throws -> [String] {
            try forge.sign(claims, algorithm).split(separator: ".").map(String.init)
        }
        let alice = try parts(TokenForge.claims())
        let bob = try parts(TokenForge.claims(#""sub":"bob""#, without: ["sub"]))
        await refuses([alice[0], bob[1], alice[2]].joined(separator: "."), Self.wrong, accounts, "another's claims")
        await refuses([alice[0], alice[1], bob[2]].joined(separator: "."), Self.wrong, accounts, "another's signature")
        await refuses([alice[1], alice[0], alice[2]].joined(separator: "."), Self.senseless, accounts, "turned round")
        await refuses([alice[0], "", alice[2]].joined(separator: "."), Self.wrong, accounts, "no claims")
    }

    // MARK: Spelling

    /// The signature's last character has bits that mean nothing: with them one token would have many texts.
    @Test(arguments: [("HS256", 2), ("RS256", 4), ("ES256", 4)])
    func otherSpellings(_ algorithm: String, _ idleBits: Int) async throws {
        let accounts = try await forge.everyKey()
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let token = try forge.sign(TokenForge.claims(), algorithm)
        let last = try #require(token.last.flatMap { alphabet.firstIndex(of: $0) })
        for bits in 1..<(1 << idleBits) {
            await refuses(String(token.dropLast()) + String(alphabet[last | bits]), Self.damaged, accounts, "\(bits)")
        }
        for tail in ["=", "==", "===", " ", "\n", "\r\n", "\t", "\0", "%3D", "é", "A="] {
            await refuses(token + tail, Self.damaged, accounts, tail.debugDescription)
        }
        for head in [" ", "\n", "\u{FEFF}", "="] {
            await refuses(head + token, Self.damaged, accounts, head.debugDescription)
        }
        await refuses("Bearer " + token, Self.damaged, accounts, "Bearer")
        for text in [token + ".", "." + token, token + "..", token.replacing(".", with: "..")] {
            await refuses(text, Self.noToken, accounts, text)
        }
        // The other alphabet, where it makes a difference.
        let other = token.replacing("-", with: "+").replacing("_", with: "/")
        if other != token { await refuses(other, Self.damaged, accounts, "the other alphabet") }
    }

    /// Other things that hold a signature or a secret (RFC 7515 section 7.2, RFC 7516).
    @Test func otherFormats() async throws {
        let accounts = try await forge.everyKey()
        let parts = try forge.sign(TokenForge.claims()).split(separator: ".")
        for text in [
            #"{"payload":"\#(parts[1])","protected":"\#(parts[0])","signature":"\#(parts[2])"}"#,
            parts.joined(separator: ",") + "", parts.joined(separator: ".") + ".e30.e30", "\(parts[0]).\(parts[1])",
        ] {
            await refuses(text, Self.noToken, accounts, text)
        }
    }

    /// Up to 8,192 bytes, and no JSON that is deeper than a reader goes.
    @Test func hugeTokens() async throws {
        let accounts = try await forge.everyKey()
        func token(_ filler: Int) throws -> String {
            try forge.sign(TokenForge.claims(#""filler":"\#(String(repeating: "x", count: filler))""#))
        }
        let empty = try token(0).utf8.count
        // Four characters are three bytes.
        let most = (CompactToken.longest - empty) / 4 * 3
        await refuses(try token(most), nil, accounts, "\(most)")
        await refuses(try token(most + 3), "The token is longer than 8192 bytes", accounts, "\(most + 3)")
        let longID = String(repeating: "k", count: 9000)
        await refuses(
            try forge.sign(TokenForge.claims(), kid: longID), "The token is longer than 8192 bytes", accounts, "kid")
        let tower = String(repeating: "[", count: 2500) + String(repeating: "]", count: 2500)
        await refuses(
            try forge.sign(TokenForge.claims(), header: #"{"alg":"HS256","x":\#(tower)}"#), Self.senseless, accounts,
            "a deep header")
        await refuses(
            try forge.sign(TokenForge.claims(#""x":\#(tower)"#)), "The token is damaged: its claims are no JSON object",
            accounts, "deep claims")
        await refuses(String(repeating: ".", count: 1 << 20), "The token is longer than 8192 bytes", accounts, "dots")
    }

    // MARK: Headers that bring their own key

    /// Nothing in a header says where a key is: `jwk`, `jku`, `x5c` and `x5u` are not looked at, and where keys have no
    /// ids `kid` is not either.
    @Test(arguments: ["HS256", "RS256", "ES256"]) func keysInTheHeader(_ algorithm: String) async throws {
        let accounts = try await forge.everyKey()
        let stranger = TokenForge.other
        let theirs = try stranger.jwk(algorithm == "HS256" ? "ES256" : algorithm, kid: "theirs")
        for field in [
            #""jwk":\#(theirs)"#, #""jku":"http://127.0.0.1:1/keys.json""#, #""jku":"file:///etc/passwd""#,
            #""x5u":"http://127.0.0.1:1/chain.pem""#, #""x5c":["AAAA"]"#, #""x5t":"AAAA""#,
            #""kid":"../../etc/passwd""#, #""kid":"theirs""#, #""kid":"'; DROP TABLE keys; --""#,
        ] {
            let header = #"{"alg":"\#(algorithm)",\#(field)}"#
            let claims = TokenForge.claims()
            await refuses(try forge.sign(claims, algorithm, header: header), nil, accounts, field)
            await refuses(
                try stranger.sign(claims, algorithm, secret: String(repeating: "x", count: 40), header: header),
                Self.wrong, accounts, field)
        }
    }

    // MARK: Names that come twice

    /// An algorithm that is there twice never lifts the check: the signature is verified with a key of the one that counts.
    @Test func anAlgorithmTwice() async throws {
        let accounts = try await forge.everyKey()
        for header in [#"{"alg":"none","alg":"HS256"}"#, #"{"alg":"HS256","alg":"none"}"#] {
            for algorithm in ["none", "RS256", "ES256"] {
                let token = try forge.sign(TokenForge.claims(), algorithm, header: header)
                let refusal = await accounts.refusal(token)
                #expect(refusal == Self.notAllowed || refusal == Self.wrong, "\(header) \(algorithm)")
            }
        }
    }

    /// One of the two counts, and it is read as strictly as if it were alone: no second one lifts a restriction.
    @Test func doubledClaims() async throws {
        let accounts = try await forge.everyKey()
        for (first, second) in [(#"["LTP"]"#, #"["Quote"]"#), (#"["Quote"]"#, #"["LTP"]"#)] {
            let token = try forge.sign(
                TokenForge.claims(#""sub":"bob","feedhost":{"modes":\#(first),"modes":\#(second)}"#))
            let account = try await accounts.authenticate(key: Secret(token))
            #expect(["alice", "bob"].contains(account.user))
            #expect(account.permissions.modes == [.ltp] || account.permissions.modes == [.quote])
        }
        let misplaced = try forge.sign(TokenForge.claims(#""modes":["LTP"],"modes":["LTP"]"#))
        await refuses(
            misplaced, "The token has the claim modes at its top; permissions belong into `feedhost`", accounts,
            "misplaced")
    }

    private func hexadecimal(_ data: Data) -> Data {
        Data(data.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined().utf8)
    }
}
