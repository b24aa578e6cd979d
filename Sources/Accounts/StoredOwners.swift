import MarketData
import Secrets

/// The own store.
package struct StoredOwners: CredentialOwners {
    private let store: AccountStore
    private let defaults: [String: Secret]

    package init(store: AccountStore, defaults: [String: Secret]) {
        self.store = store
        self.defaults = defaults
    }

    package func owners(_ broker: String) async throws -> [(user: String, version: UInt64)] {
        try await store.credentialRecords().filter { $0.broker == broker && !$0.names.isEmpty }
            .map { ($0.user, $0.version) }
    }

    package func used() async throws -> Set<String> {
        let users = try await store.users().compactMap(\.broker)
        return Set(users).union(try await store.credentialRecords().map(\.broker))
    }

    package func credentials(user: String, broker: String) async throws -> [String: Secret] {
        try await SQLiteAccounts(store: store, defaults: defaults).credentials(user: user, broker: broker).values
    }

    package func advice(user: String, broker: String) -> String {
        "Set them with `feedhost credentials set \(user) --broker \(broker) KEY=VALUE …`."
    }
}
