import GRDB
import MarketData

/// The host's view of an ``AccountStore``: who may come in, and with what to go to the broker.
public struct SQLiteAccounts: Authenticator, CredentialSource {
    private let store: AccountStore
    private let defaults: [String: Secret]

    /// - Parameter defaults: by credential name, for what a user has not set: `BROKER_API_KEY` as `api_key` and so on.
    public init(store: AccountStore, defaults: [String: Secret] = [:]) {
        self.store = store
        self.defaults = defaults.filter { !$0.value.isEmpty }
    }

    /// Looks the key's digest up in an index.
    ///
    /// The time of an index look-up depends on how far two *digests* agree, not two keys. Whoever wants to use that must
    /// choose keys whose SHA-256 begins as they like, and then knows the beginning of a digest, from which no key follows:
    /// this gives away no more than a comparison in constant time.
    public func authenticate(key: Secret) async throws -> Account {
        let digest = KeyDigest.of(key)
        let found: (id: Int64, user: String, broker: String?)?
        do {
            found = try await store.read { db in
                try Row.fetchOne(
                    db,
                    sql: """
                        SELECT api_keys.id, users.name, users.broker FROM api_keys JOIN users ON users.id = user_id
                        WHERE hash = ? AND revoked_at IS NULL
                        """, arguments: [digest]
                ).map { ($0["id"], $0["name"], $0["broker"]) }
            }
        } catch {
            throw Self.unreadable(error)
        }
        guard let found else { throw FeedError(.authentication, "Invalid API key") }
        guard let broker = found.broker, !broker.isEmpty else {
            throw FeedError(.broker, "No broker configuration found for user")
        }
        return Account(user: found.user, broker: broker, keyID: found.id)
    }

    /// The user's own values; names that they have not set come from the defaults.
    public func credentials(user: String, broker: String) async throws -> BrokerCredentials {
        do {
            let stored = try await store.credentials(user: user, broker: broker)
            return BrokerCredentials(version: stored.version, values: defaults.merging(stored.values) { $1 })
        } catch {
            throw Self.unreadable(error)
        }
    }

    /// Clients learn that it is not their fault; where the file is, is none of their business.
    private static func unreadable(_ error: any Error) -> FeedError {
        if let error = error as? AccountStoreError, error.code == .busy {
            return FeedError(.server, "The account store is busy, try again")
        }
        return FeedError(.server, "The account store cannot be read")
    }
}
