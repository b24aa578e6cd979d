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

    /// Digests of the keys that are good. Not their numbers alone: those begin anew in a file that replaces another.
    var keys: [Int64: Data] = [:]
    /// Also keys that were issued and revoked between two looks are told: somebody may have come in with one.
    var revoked: Set<Int64> = []
    var users: [String: User] = [:]
    var credentials: [Owner: Int64] = [:]

    init(_ db: Database) throws {
        for row in try Row.fetchAll(db, sql: "SELECT id, hash, revoked_at IS NOT NULL AS revoked FROM api_keys") {
            if row["revoked"] {
                revoked.insert(row["id"])
            } else {
                keys[row["id"]] = row["hash"]
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

    /// What became different on the way to `later`, in a fixed order. New users and new keys are no news: nobody is
    /// connected with them.
    func changes(to later: StoreSnapshot) -> [AccountChange] {
        let gone = Set(keys.filter { later.keys[$0.key] != $0.value }.keys).union(later.revoked.subtracting(revoked))
        var changes = gone.sorted().map { AccountChange(.keyRevoked(keyID: $0)) }
        for (name, user) in users.sorted(by: { $0.key < $1.key }) where later.users[name] != user {
            changes.append(AccountChange(.userChanged(user: name)))
        }
        let owners = Set(credentials.keys).union(later.credentials.keys).sorted()
        for owner in owners where credentials[owner] != later.credentials[owner] && later.users[owner.user] != nil {
            changes.append(AccountChange(.credentialsChanged(user: owner.user, broker: owner.broker)))
        }
        return changes
    }
}
