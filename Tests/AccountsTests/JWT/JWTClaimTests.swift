import Foundation
import MarketData
import Secrets
import Testing

@testable import Accounts

struct JWTClaimTests {
    private let forge = TokenForge.shared
    private let now = Int(TokenForge.now)

    private func refusal(
        _ claims: String, _ change: (inout JWTConfiguration) -> Void = { _ in }
    ) async throws -> String? {
        try await TokenForge.accounts(TokenForge.configuration(change)).refusal(forge.sign(claims))
    }

    @Test func timesWithLeeway() async throws {
        func token(_ name: String, _ seconds: Int) -> String {
            TokenForge.claims("\"\(name)\":\(now + seconds)", without: name == "exp" ? ["exp"] : [])
        }
        #expect(try await refusal(token("exp", -29)) == nil)
        #expect(try await refusal(token("exp", -30)) == "The token has expired")
        #expect(try await refusal(token("exp", 0)) { $0.leeway = 0 } == "The token has expired")
        #expect(try await refusal(token("nbf", 30)) == nil)
        #expect(try await refusal(token("nbf", 31)) == "The token is not valid yet")
        #expect(try await refusal(token("nbf", 1)) { $0.leeway = 0 } == "The token is not valid yet")
    }

    @Test func expiryIsDemanded() async throws {
        let endless = TokenForge.claims(without: ["exp"])
        #expect(try await refusal(endless) == "The token has no end (exp), and tokens must have one here")
        #expect(try await refusal(endless) { $0.requiresExpiry = false } == nil)
        let accounts = try await TokenForge.accounts(TokenForge.configuration { $0.requiresExpiry = false })
        #expect(try await accounts.authenticate(key: Secret(forge.sign(endless))).expires == nil)
    }

    @Test func issuerAndAudience() async throws {
        let issuer = "The token is not from the issuer that this host trusts (iss)"
        let audience = "The token is not meant for this host (aud)"
        for wrong in ["", #""iss":"b""#, #""iss":"A""#] {
            #expect(try await refusal(TokenForge.claims(wrong)) { $0.issuer = "a" } == issuer)
        }
        #expect(try await refusal(TokenForge.claims(#""iss":"a""#)) { $0.issuer = "a" } == nil)
        for right in [#""aud":"feeds""#, #""aud":["other","feeds"]"#] {
            #expect(try await refusal(TokenForge.claims(right)) { $0.audience = "feeds" } == nil)
        }
        for wrong in ["", #""aud":"other""#, #""aud":[]"#, #""aud":["feed","s"]"#] {
            #expect(try await refusal(TokenForge.claims(wrong)) { $0.audience = "feeds" } == audience)
        }
        // Meant for somebody, and this host does not know who it is.
        #expect(try await refusal(TokenForge.claims(#""aud":"feeds""#)) == audience)
    }

    @Test func permissions() async throws {
        let claims = TokenForge.claims(
            #""brokers":["angel","zerodha"],"name":"unknown claims are ignored","feedhost":{"brokers":["zerodha"],"exchanges":["NSE","NFO"],"symbols":["NIFTY*"],"modes":["ltp","Quote"],"orders":false,"max_instruments":50}"#
        )
        let account = try await TokenForge.accounts().authenticate(key: Secret(forge.sign(claims)))
        #expect(account.brokers == ["angel", "zerodha"] && account.broker == "zerodha")
        #expect(
            account.permissions
                == Permissions(
                    brokers: ["zerodha"], exchanges: ["NSE", "NFO"], symbols: ["NIFTY*"], modes: [.ltp, .quote],
                    orders: false, maxInstruments: 50))
        // An empty list allows nothing; that is not the same as no list.
        let none = try forge.sign(TokenForge.claims(#""feedhost":{"exchanges":[],"modes":[]}"#))
        let nothing = try await TokenForge.accounts().authenticate(key: Secret(none)).permissions
        #expect(nothing.exchanges == [] && nothing.modes == [] && nothing.symbols == nil)
    }

    /// Whatever is not understood refuses the token: a slip must not lift a restriction.
    @Test(arguments: [
        #""feedhost":{"exchange":["NSE"]}"#, #""feedhost":{"exchanges":"NSE"}"#, #""feedhost":{"exchanges":null}"#,
        #""feedhost":{"exchanges":["nse"]}"#, #""feedhost":{"exchanges":[1]}"#, #""feedhost":{"exchanges":[null]}"#,
        #""feedhost":{"symbols":[""]}"#, #""feedhost":{"symbols":{}}"#, #""feedhost":{"modes":["full"]}"#,
        #""feedhost":{"modes":1}"#, #""feedhost":{"orders":0}"#, #""feedhost":{"orders":"no"}"#,
        #""feedhost":{"orders":null}"#, #""feedhost":{"max_instruments":-1}"#, #""feedhost":{"max_instruments":1.5}"#,
        #""feedhost":{"max_instruments":"5"}"#, #""feedhost":{"max_instruments":true}"#,
        #""feedhost":{"max_instruments":99999999999999999999}"#, #""feedhost":{"brokers":["Zerodha"]}"#,
        #""feedhost":null"#, #""feedhost":[]"#, #""feedhost":"all""#, #""exchanges":["NSE"]"#, #""orders":false"#,
        #""permissions":{}"#, #""modes":null"#, #""brokers":"zerodha""#, #""brokers":["a b"]"#, #""brokers":null"#,
        #""exp2":1,"nbf":"soon""#, #""nbf":null"#, #""nbf":-1"#, #""nbf":1e300"#, #""iss":1"#, #""aud":{}"#,
        #""aud":null"#,
    ]) func notUnderstood(_ claim: String) async throws {
        let refusal = try #require(await refusal(TokenForge.claims(claim)))
        #expect(refusal.hasPrefix("The token"), "\(refusal)")
    }

    @Test(arguments: [
        (#""sub":1"#, "sub"), (#""sub":"""#, "sub"), (#""sub":"a b""#, "sub"), (#""sub":null"#, "sub"),
        (#""jti":7"#, "jti"), (#""exp":"1800000600""#, "exp"), (#""exp":1800000600000"#, "exp"),
        (#""exp":null"#, "exp"),
        (#""broker":"No Broker""#, "broker"), (#""broker":["zerodha"]"#, "broker"),
    ]) func claimsOfAnotherType(_ claim: String, _ name: String) async throws {
        let refusal = try #require(await refusal(TokenForge.claims(claim, without: [name])))
        #expect(refusal.contains(name), "\(refusal)")
    }

    @Test func payloadsThatAreNoClaims() async throws {
        for payload in ["", "[]", "1", "null", "{", "\"sub\"", String(repeating: "[", count: 4000)] {
            #expect(try await refusal(payload) == "The token is damaged: its claims are no JSON object")
        }
    }

    @Test func theBroker() async throws {
        let accounts = try await TokenForge.accounts()
        let one = try forge.sign(TokenForge.claims(#""brokers":["angel"]"#, without: ["broker"]))
        #expect(try await accounts.authenticate(key: Secret(one)).broker == "angel")
        for claim in ["", #""brokers":["angel","zerodha"]"#, #""brokers":[]"#] {
            let token = try forge.sign(TokenForge.claims(claim, without: ["broker"]))
            let error = await #expect(throws: FeedError.self) { try await accounts.authenticate(key: Secret(token)) }
            #expect(error?.code == .broker)
        }
    }

    @Test func usersThatMustBeKnown() async throws {
        let accounts = try await TokenForge.accounts(isKnown: { $0 == "alice" })
        #expect(await accounts.refusal(try forge.sign(TokenForge.claims())) == nil)
        let bob = try forge.sign(TokenForge.claims(#""sub":"bob""#, without: ["sub"]))
        #expect(await accounts.refusal(bob) == "The token's user is not known here")
    }

    /// Stable, different for each token, and not dependent on the signature: one content has many with ES256.
    @Test func whatNamesAToken() async throws {
        let accounts = try await TokenForge.accounts()
        func id(_ claims: String) async throws -> Int64 {
            try await accounts.authenticate(key: Secret(forge.sign(claims))).keyID
        }
        #expect(try await id(TokenForge.claims()) == id(TokenForge.claims(#""name":"other""#)))
        let (first, second) = (#""jti":"x""#, #""jti":"y""#)
        #expect(
            try await id(TokenForge.claims(first, without: ["jti"])) != id(TokenForge.claims(second, without: ["jti"])))
        let anonymous = TokenForge.claims(without: ["jti"])
        #expect(try await id(anonymous) == id(anonymous))
        #expect(try await id(anonymous) != id(TokenForge.claims(#""name":"a""#, without: ["jti"])))
    }
}
