import Accounts
import MarketData
import Secrets

/// Whose credentials a master can be downloaded with: those of the accounts in use.
protocol CredentialOwners: Sendable {
    /// Users with credentials at a broker, by name, with the version of these.
    func owners(_ broker: String) async throws -> [(user: String, version: UInt64)]
    /// Brokers that somebody is on or has credentials at.
    func used() async throws -> Set<String>
    /// What the user goes to the broker with, defaults included.
    func credentials(user: String, broker: String) async throws -> [String: Secret]
    /// What a user does who has none.
    func advice(user: String, broker: String) -> String
}

/// The own store.
struct StoredOwners: CredentialOwners {
    let store: AccountStore
    let defaults: [String: Secret]

    func owners(_ broker: String) async throws -> [(user: String, version: UInt64)] {
        try await store.credentialRecords().filter { $0.broker == broker && !$0.names.isEmpty }
            .map { ($0.user, $0.version) }
    }

    func used() async throws -> Set<String> {
        let users = try await store.users().compactMap(\.broker)
        return Set(users).union(try await store.credentialRecords().map(\.broker))
    }

    func credentials(user: String, broker: String) async throws -> [String: Secret] {
        try await SQLiteAccounts(store: store, defaults: defaults).credentials(user: user, broker: broker).values
    }

    func advice(user: String, broker: String) -> String {
        "Set them with `feedhost credentials set \(user) --broker \(broker) KEY=VALUE …`."
    }
}

/// The logins of an OpenAlgo installation.
struct OpenAlgoOwners: CredentialOwners {
    let accounts: OpenAlgoAccounts

    func owners(_ broker: String) async throws -> [(user: String, version: UInt64)] {
        await accounts.inventory().logins.filter { $0.broker == broker && $0.state == .good }.map { ($0.user, 0) }
    }

    func used() async throws -> Set<String> { Set(await accounts.inventory().logins.map(\.broker)) }

    func credentials(user: String, broker: String) async throws -> [String: Secret] {
        try await accounts.credentials(user: user, broker: broker).values
    }

    func advice(user: String, broker: String) -> String { "Log in at \(broker) in OpenAlgo as \(user)." }
}
