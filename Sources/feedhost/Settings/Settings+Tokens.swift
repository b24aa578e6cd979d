import Accounts
import MarketData

extension Settings {
    /// For the provider of accounts that are written in signed tokens.
    struct Tokens: Sendable {
        let configuration: JWTConfiguration
        /// Whether a token may only name users that the store has.
        let areUsersStored: Bool

        init(_ values: SettingResolver) {
            var configuration = JWTConfiguration()
            configuration.algorithms = Set(
                values.list("jwt.algorithms").compactMap { JWTConfiguration.Algorithm(rawValue: $0) })
            configuration.secret = values.secret("jwt.secret")
            configuration.secretFile = values.text("jwt.secret_file")
            configuration.publicKeyFiles = values.list("jwt.public_keys")
            configuration.keySetFile = values.text("jwt.key_set")
            configuration.revokedFile = values.text("jwt.revoked")
            configuration.issuer = values.text("jwt.issuer")
            configuration.audience = values.text("jwt.audience")
            configuration.leeway = values.seconds("jwt.leeway") / .seconds(1)
            configuration.requiresExpiry = values.bool("jwt.require_expiry")
            self.configuration = configuration
            areUsersStored = values.text("jwt.users") == "stored"
        }
    }

    /// The plugin that accounts come from, if one was chosen.
    var accountPlugin: String? {
        guard accountProvider.hasPrefix(SettingKind.plugin) else { return nil }
        return String(accountProvider.dropFirst(SettingKind.plugin.count))
    }
}
