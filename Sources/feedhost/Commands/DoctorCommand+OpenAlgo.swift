import Accounts
import Adapters
import Logging

extension DoctorCommand {
    /// Of accounts that are OpenAlgo's.
    func checkOpenAlgo(
        _ settings: Settings, _ registry: AdapterRegistry, _ findings: inout Findings
    ) async {
        do {
            let installation = try settings.openAlgo.installation()
            let quiet = Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
            let found = try await OpenAlgoAccounts(
                installation, defaults: settings.credentialDefaults, logger: quiet
            ).inventory()
            findings.good("openalgo", "\(installation.database): \(found.keys) API keys, \(found.logins.count) logins")
            if found.keys == 0 {
                findings.hint("openalgo", "no client can come in: make an API key in OpenAlgo")
            } else if found.hashedKeys > 0 {
                findings.hint(
                    "openalgo",
                    "\(found.hashedKeys) API keys cannot be decrypted and are checked by their slow hash; FERNET_SALT may not be the one that OpenAlgo runs with"
                )
            }
            for login in found.logins {
                switch login.state {
                case .good:
                    findings.good("openalgo", "\(login.user) is logged in at \(login.broker)")
                    checkOpenAlgo(login, settings, registry, &findings)
                case .revoked:
                    findings.hint(
                        "openalgo",
                        "\(login.user) is logged out at \(login.broker); log in to the broker again in OpenAlgo")
                case .unreadable:
                    findings.bad(
                        "openalgo",
                        "the token of \(login.user) at \(login.broker) cannot be decrypted; log in again, and if that does not help, take API_KEY_PEPPER and FERNET_SALT from the .env that OpenAlgo runs with"
                    )
                }
            }
        } catch {
            findings.bad("openalgo", "\(error)")
        }
    }

    private func checkOpenAlgo(
        _ login: OpenAlgoInventory.Login, _ settings: Settings, _ registry: AdapterRegistry,
        _ findings: inout Findings
    ) {
        do {
            try KnownBrokers(registry, settings).check(login.broker)
        } catch {
            findings.hint(
                "accounts",
                "\(login.user) is logged in at \(login.broker), and no adapter for it is loaded: install one, or name \(login.broker) in FEEDHOST_EXTERNAL_AS if OpenAlgo's own adapter feeds it"
            )
            return
        }
        // OpenAlgo does not write down when a login was; it revokes old ones itself.
        checkLogin(
            DoctoredLogin(user: login.user, broker: login.broker, names: login.names, updated: nil), settings,
            registry, &findings, mend: "log in to the broker again in OpenAlgo")
    }
}
