import Accounts
import Adapters
import Logging

extension DoctorCommand {
    /// Of accounts that are not in the store.
    func checkProvider(_ settings: Settings, _ registry: AdapterRegistry, _ findings: inout Findings) async {
        do {
            if settings.accountProvider == "jwt" {
                let quiet = Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
                let accounts = try await JWTAccounts(settings.tokens.configuration, logger: quiet)
                let names = await accounts.algorithms.map(\.rawValue).sorted().joined(separator: ", ")
                findings.good("tokens", "users are those of signed tokens: \(names)")
                if let path = settings.tokens.configuration.secretFile, accounts.isSecretOpenToAll {
                    findings.hint(
                        "tokens",
                        "every user of this machine can read the secret in \(path), and so sign tokens; mend it with: chmod 600 \(path)"
                    )
                }
                if settings.tokens.configuration.issuer == nil {
                    findings.hint("tokens", "jwt.issuer is not set: tokens of every issuer with such a key count")
                }
                if !settings.tokens.configuration.requiresExpiry {
                    findings.hint("tokens", "jwt.require_expiry is off: a token without exp counts for ever")
                }
            } else if let name = settings.accountPlugin {
                let adapter = try AccountProvider.plugin(name, registry)
                guard adapter.hasAccounts else {
                    findings.bad(
                        "accounts", "\(adapter.path) provides no accounts; name another plugin in accounts.provider")
                    return
                }
                findings.good("accounts", "users are those of the plugin \(adapter.path)")
            }
        } catch {
            findings.bad("accounts", "\(error)")
        }
    }
}
