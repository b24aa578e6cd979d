import Foundation
import GRDB
import MarketData

/// What sessions and clients depend on, at one moment.
struct StoreSnapshot: Sendable, Equatable {
    struct Owner: Sendable, Hashable, Comparable {
        let user: String
        let broker: String
        static func < (a: Owner, b: Owner) -> Bool { (a.user, a.broker) < (b.user, b.broker) }
    }
    struct User: Sendable, Hashable {
        /// Differs when a user was removed and added again under the same name.
        let id: Int64
        let broker: String?
    }

    struct Key: Sendable, Hashable {
        let digest: Data
        /// As they are stored.
        let permissions: String?
        let expires: Int64?
        /// How often that has changed since the key was issued.
        let changes: Int64
    }

    /// The keys that are not revoked, with their digests: numbers begin anew in a file that replaces another.
    var keys: [Int64: Key] = [:]
    /// Also keys that were issued and revoked between two looks are told: somebody may have come in with one.
    var revoked: Set<Int64> = []
    var users: [String: User] = [:]
    var credentials: [Owner: Int64] = [:]

    init(_ db: Database) throws {
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT id, hash, permissions, expires_at, changes, revoked_at IS NOT NULL AS revoked FROM api_keys")
        for row in rows {
            if row["revoked"] {
                revoked.insert(row["id"])
            } else {
                keys[row["id"]] = Key(
                    digest: row["hash"], permissions: row["permissions"], expires: row["expires_at"],
                    changes: row["changes"])
            }
        }
        for row in try Row.fetchAll(db, sql: "SELECT id, name, broker FROM users") {
            users[row["name"]] = User(id: row["id"], broker: row["broker"])
        }
        let sets = try Row.fetchAll(
            db,
            sql: """
                SELECT users.name, credential_sets.broker, version
                FROM credential_sets JOIN users ON users.id = user_id
                """)
        for row in sets { credentials[Owner(user: row["name"], broker: row["broker"])] = row["version"] }
    }

    /// What became different on the way to `later`, in a fixed order. New users are no news, and new keys neither, unless
    /// they have been changed since: nobody is connected with them.
    func changes(to later: StoreSnapshot) -> [AccountChange] {
        let gone = Set(keys.filter { later.keys[$0.key]?.digest != $0.value.digest }.keys)
            .union(later.revoked.subtracting(revoked))
        // First: the keys of a user who was removed are gone too, and what their clients are to know is that.
        var changes = users.sorted { $0.key < $1.key }.filter { later.users[$0.key] != $0.value }.map {
            AccountChange(.userChanged(user: $0.key))
        }
        changes += gone.sorted().map { AccountChange(.keyRevoked(keyID: $0)) }
        for (id, key) in keys.sorted(by: { $0.key < $1.key }) where !gone.contains(id) && later.keys[id] != key {
            changes.append(AccountChange(.keyChanged(keyID: id)))
        }
        // Issued and changed between two looks: somebody may have come in with what it allowed at first.
        for (id, key) in later.keys.sorted(by: { $0.key < $1.key }) where keys[id] == nil && key.changes > 0 {
            changes.append(AccountChange(.keyChanged(keyID: id)))
        }
        let (had, have) = (brokers, later.brokers)
        for (name, user) in later.users.sorted(by: { $0.key < $1.key }) {
            // Of a user who is new, somebody may have come in before the credentials were there.
            let before =
                switch users[name] {
                case nil: Set([user.broker].compactMap(\.self))
                case user?: had[name]
                // Whoever changed comes in anew.
                default: have[name]
                }
            guard let brokers = have[name], brokers != before else { continue }
            changes.append(AccountChange(.brokersChanged(user: name, brokers: brokers)))
        }
        let owners = Set(credentials.keys).union(later.credentials.keys).sorted()
        // Also those of a user who was removed: the session must not go on with them.
        for owner in owners where credentials[owner] != later.credentials[owner] {
            changes.append(
                AccountChange(
                    later.credentials[owner] == nil
                        ? .credentialsRevoked(user: owner.user, broker: owner.broker)
                        : .credentialsChanged(user: owner.user, broker: owner.broker)))
        }
        return changes
    }

    /// What each user can choose from: the own broker, and those that there are credentials for.
    private var brokers: [String: Set<String>] {
        var brokers = users.mapValues { Set([$0.broker].compactMap(\.self)) }
        for owner in credentials.keys { brokers[owner.user, default: []].insert(owner.broker) }
        return brokers
    }
}
