import Foundation
import GRDB
import MarketData
import Secrets

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
        let (found, permissions) = try await find(key)
        // Of a user without a broker of their own it is the first that there are credentials for.
        guard let broker = found.broker.flatMap({ $0.isEmpty ? nil : $0 }) ?? found.brokers.first else {
            throw FeedError(.broker, "No broker configuration found for user")
        }
        store.noteUse(of: found.id)
        return Account(
            user: found.user, broker: broker, keyID: found.id, brokers: Set(found.brokers), permissions: permissions,
            expires: found.expires.map { $0 * 1000 })
    }

    public func owner(of key: Secret) async -> KeyOwner? {
        guard let (found, permissions) = try? await find(key) else { return nil }
        return KeyOwner(
            user: found.user, keyID: found.id, permissions: permissions, expires: found.expires.map { $0 * 1000 })
    }

    /// - Throws: ``FeedError`` for a key that is not good, or cannot be looked up.
    private func find(_ key: Secret) async throws -> (Entry, Permissions) {
        let digest = KeyDigest.of(key)
        let found: Entry?
        do {
            found = try await store.read { try Entry(digest: digest, $0) }
        } catch {
            throw Self.unreadable(error)
        }
        // Only the owner of a key learns that it has expired.
        guard let found else { throw FeedError(.authentication, "Invalid API key") }
        if let expires = found.expires, expires <= store.now() {
            throw FeedError(.authentication, "API key expired")
        }
        guard let permissions = found.permissions else {
            throw FeedError(.server, "What this API key allows cannot be read")
        }
        return (found, permissions)
    }

    /// A key that is not revoked, with its owner.
    private struct Entry: Sendable {
        let id: Int64
        let user: String
        let broker: String?
        let brokers: [String]
        let expires: Int64?
        let permissions: Permissions?

        init?(digest: Data, _ db: Database) throws {
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT api_keys.id, users.id AS owner, users.name, users.broker, expires_at, permissions
                    FROM api_keys JOIN users ON users.id = user_id WHERE hash = ? AND revoked_at IS NULL
                    """, arguments: [digest])
            guard let row else { return nil }
            (id, user, broker) = (row["id"], row["name"], row["broker"])
            expires = row["expires_at"]
            permissions = StoredPermissions.read(row["permissions"])
            brokers = try AccountStore.credentialBrokers(of: row["owner"], db)
        }
    }

    /// The user's own values; names that they have not set come from the defaults.
    /// - Throws: ``FeedError`` with `SERVER_ERROR` when they cannot be read or decrypted; never the defaults in their place.
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
        let locked: [AccountStoreError.Code] = [.wrongKey, .unreadableKey, .damagedCredential]
        if let error = error as? AccountStoreError, locked.contains(error.code) {
            return FeedError(.server, "The broker credentials cannot be decrypted; the host's log says why")
        }
        return FeedError(.server, "The account store cannot be read")
    }
}
