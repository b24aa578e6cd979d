import Foundation
import MarketData
import Secrets
import Testing

@testable import Accounts

/// Texts that resemble tokens: none crashes, none gets in.
struct JWTFuzzTests {
    @Test func seededStrangers() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["FEEDHOST_FUZZ_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...UInt64.max)
        let count = environment["FEEDHOST_FUZZ"].flatMap { Int($0) } ?? 3000
        print("tokens: FEEDHOST_FUZZ_SEED=\(seed)")
        var random = Numbers(state: seed)
        let accounts = try await TokenForge.accounts()
        let good = Array(try TokenForge.shared.sign(TokenForge.claims(#""feedhost":{"modes":["LTP"]}"#)).utf8)
        for _ in 0..<count {
            let token = Self.spoilt(good, &random)
            guard token != good else { continue }
            #expect(await accounts.refusal(String(decoding: token, as: UTF8.self)) != nil, "\(token)")
        }
    }

    /// Claims that are signed, as an issuer with a fault would: no crash, and no account that is more than it says.
    @Test func seededClaims() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["FEEDHOST_FUZZ_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...UInt64.max)
        let count = environment["FEEDHOST_FUZZ"].flatMap { Int($0) } ?? 2000
        print("claims: FEEDHOST_FUZZ_SEED=\(seed)")
        var random = Numbers(state: seed)
        let accounts = try await TokenForge.accounts()
        let text = Array(TokenForge.claims(#""feedhost":{"exchanges":["NSE"],"orders":false}"#).utf8)
        for _ in 0..<count {
            let claims = String(decoding: Self.spoilt(text, &random), as: UTF8.self)
            let token = try TokenForge.shared.sign(claims)
            guard let account = try? await accounts.authenticate(key: Secret(token)) else { continue }
            // The object's own name may be spoilt; inside it nothing is lost.
            guard claims.contains(#""feedhost":"#) else { continue }
            #expect(account.permissions.exchanges != nil || !claims.contains(#""exchanges":"#), "\(claims)")
        }
    }

    private static func spoilt(_ bytes: [UInt8], _ random: inout Numbers) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0..<4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch UInt8.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(UInt8.random(in: 32...126, using: &random), at: place)
            case 3: bytes.removeSubrange(place...)
            case 4: bytes.insert(contentsOf: bytes.suffix(from: place), at: place)
            default: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        }
        return bytes
    }

    /// SeededNumbers64.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
