import Accounts
import Adapters
import Foundation
import Instruments
import MarketData

/// One user's login at one broker, wherever it is kept.
struct DoctoredLogin {
    let user: String
    let broker: String
    /// Credentials that are there, by name.
    let names: Set<String>
    /// When they were set, seconds since 1970; nil where nobody writes it down.
    let updated: Int64?
}

extension DoctorCommand {
    /// Users whose broker nobody serves, and credentials that will not do.
    func checkAccounts(
        _ store: AccountStore, _ settings: Settings, _ registry: AdapterRegistry, _ findings: inout Findings
    ) async throws {
        let records = try await store.credentialRecords()
        if StorePart.users.notice(settings) == nil {
            let brokers = KnownBrokers(registry, settings)
            for user in try await store.users() {
                guard let broker = user.broker else { continue }
                do {
                    try brokers.check(broker)
                } catch {
                    findings.hint(
                        "accounts",
                        "\(user.name) is on \(broker), and no adapter for it is loaded: install one, or move the user with `feedhost users move \(user.name) --broker BROKER`"
                    )
                    continue
                }
                if !records.contains(where: { $0.user == user.name && $0.broker == broker }) {
                    checkLogin(
                        DoctoredLogin(user: user.name, broker: broker, names: [], updated: nil), settings, registry,
                        &findings)
                }
            }
        }
        guard StorePart.credentials.notice(settings) == nil else { return }
        for record in records {
            checkLogin(
                DoctoredLogin(
                    user: record.user, broker: record.broker, names: Set(record.names), updated: record.updated),
                settings, registry, &findings)
        }
    }

    /// What the broker's adapter will miss, and what is too old.
    func checkLogin(
        _ login: DoctoredLogin, _ settings: Settings, _ registry: AdapterRegistry, _ findings: inout Findings,
        mend: String? = nil, now: Int64 = Int64(Date().timeIntervalSince1970)
    ) {
        guard let description = registry.adapter(login.broker)?.description else { return }
        let set =
            mend
            ?? "set it with `feedhost credentials set \(login.user) --broker \(login.broker) --stdin < credentials.json`"
        // What the environment gives to everybody is no reason to be content with a token of yesterday.
        let present = login.names.union(settings.credentialDefaults.keys)
        let missing = description.credentialKeys.filter { $0.required && !present.contains($0.name) }.map(\.name)
        guard missing.isEmpty else {
            let names = missing.joined(separator: ", ")
            findings.hint("accounts", "\(login.user) lacks \(names) at \(login.broker); \(set)")
            return
        }
        let end = settings.openAlgo.sessionExpiry
        let mornings = RefreshSchedule(hour: end.hour, minute: end.minute)
        if description.capabilities.flags.contains(.dailyToken), let updated = login.updated,
            mornings.isDue(synced: updated, now: now)
        {
            findings.hint(
                "accounts",
                "the token of \(login.user) at \(login.broker) is of \(TextTable.time(updated)), and \(login.broker) ends them every morning: log in at the broker and \(set)"
            )
        } else if !login.names.isEmpty {
            findings.good("accounts", "\(login.user) has what \(login.broker) needs")
        }
    }
}
