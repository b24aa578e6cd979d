import Foundation
import MarketData

/// What a token says, after its signature was found good.
///
/// What the specification of tokens leaves to the reader is ignored when it is unknown; a permission never is. Whatever is
/// unknown or of another type where permissions are refuses the token: a slip in a restriction must not lift it.
struct TokenClaims: Decodable {
    let user: String
    let broker: String?
    let brokers: Set<String>
    let issuer: String?
    let audiences: [String]?
    /// Seconds since 1970, UTC.
    let expiry: Double?
    let notBefore: Double?
    let id: String?
    let permissions: Permissions

    /// - Throws: ``FeedError`` that names the claim.
    static func read(_ payload: [UInt8]) throws -> TokenClaims {
        do {
            return try JSONDecoder().decode(TokenClaims.self, from: Data(payload))
        } catch let error as FeedError {
            throw error
        } catch {
            throw FeedError(.authentication, "The token is damaged: its claims are no JSON object")
        }
    }

    init(from decoder: any Decoder) throws {
        let claims = ClaimReader(try decoder.container(keyedBy: ClaimName.self), inside: "")
        // A restriction in the wrong place would be none.
        for name in PermissionClaims.names.subtracting(["brokers"]).union(["permissions"]).sorted()
        where claims.has(name) {
            throw FeedError(
                .authentication, "The token has the claim \(name) at its top; permissions belong into `feedhost`")
        }
        guard let user = try claims.text("sub"), (try? AccountNames.check(user: user)) != nil else {
            throw FeedError(.authentication, "The token names no user (sub)")
        }
        self.user = user
        broker = try claims.text("broker").map { try Self.broker($0, "broker") }
        brokers = Set(try claims.texts("brokers")?.map { try Self.broker($0, "brokers") } ?? [])
        issuer = try claims.text("iss")
        audiences = try claims.textOrTexts("aud")
        expiry = try claims.seconds("exp")
        notBefore = try claims.seconds("nbf")
        id = try claims.text("jti")
        permissions = try claims.nested("feedhost").map { try PermissionClaims.read($0) } ?? .everything
    }

    static func broker(_ name: String, _ claim: String) throws -> String {
        guard (try? AccountNames.check(broker: name)) != nil else {
            throw FeedError(
                .authentication,
                "The token's claim \(claim) is no broker: lowercase letters, digits and _, such as \"zerodha\"")
        }
        return name
    }
}

/// The object `feedhost` of a token.
enum PermissionClaims {
    static let names: Set<String> = ["brokers", "exchanges", "symbols", "modes", "orders", "max_instruments"]
    private static let longestPattern = 128

    static func read(_ claims: ClaimReader) throws -> Permissions {
        for name in claims.names where !names.contains(name) {
            throw FeedError(
                .authentication, "The token has a permission that this host does not know (\(AccountNames.shown(name)))"
            )
        }
        var permissions = Permissions.everything
        if let brokers = try claims.texts("brokers") {
            permissions.brokers = Set(try brokers.map { try TokenClaims.broker($0, "feedhost.brokers") })
        }
        if let exchanges = try claims.texts("exchanges") {
            guard exchanges.allSatisfy(isExchange) else {
                throw claims.wrong("exchanges", "a list of exchanges such as \"NSE\"")
            }
            permissions.exchanges = Set(exchanges)
        }
        if let symbols = try claims.texts("symbols") {
            guard symbols.allSatisfy({ (1...longestPattern).contains($0.utf8.count) }) else {
                throw claims.wrong("symbols", "a list of patterns of 1 to \(longestPattern) bytes")
            }
            permissions.symbols = symbols
        }
        if let labels = try claims.texts("modes") {
            let modes = labels.compactMap { Mode(label: $0) }
            guard modes.count == labels.count else { throw claims.wrong("modes", "a list of LTP, Quote and Depth") }
            permissions.modes = Set(modes)
        }
        if let orders = try claims.flag("orders") { permissions.orders = orders }
        if let most = try claims.number("max_instruments") {
            guard (0...1_000_000).contains(most) else {
                throw claims.wrong("max_instruments", "a number from 0 to 1000000")
            }
            permissions.maxInstruments = most
        }
        return permissions
    }

    private static func isExchange(_ name: String) -> Bool {
        (1...32).contains(name.utf8.count)
            && name.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
    }
}
