import Foundation
import GRDB
import MarketData

/// Which keys to revoke.
public enum KeySelection: Sendable, Hashable {
    case id(Int64)
    case key(Secret)
    /// All keys of a user.
    case user(String)
}

extension AccountStore {
    /// Makes a key. This is the only time that it can be read: the store keeps its digest.
    public func issueKey(user: String, name: String? = nil) async throws -> Secret {
        let key = KeyDigest.makeKey()
        try await insertKey(key, user: user, name: name)
        return key
    }

    /// Stores a key that was made elsewhere, as `--demo` does. It must be as good as one of ours: random, 32 characters
    /// or more.
    @discardableResult
    public func insertKey(_ key: Secret, user: String, name: String? = nil) async throws -> KeyRecord {
        guard key.revealed.count >= KeyDigest.shortestKey else {
            throw AccountStoreError(
                .invalidValue, "The key is too short: \(KeyDigest.shortestKey) random characters or more are needed.")
        }
        let hash = KeyDigest.of(key)
        let hint = String(key.revealed.suffix(4))
        let created = now()
        return try await write { db in
            let owner = try Self.id(of: user, db)
            guard try Int64.fetchOne(db, sql: "SELECT id FROM api_keys WHERE hash = ?", arguments: [hash]) == nil else {
                throw AccountStoreError(
                    .duplicateKey, "This key is in the store already; a key belongs to one user, once.")
            }
            try db.execute(
                sql: "INSERT INTO api_keys (user_id, name, hash, hint, created_at) VALUES (?, ?, ?, ?, ?)",
                arguments: [owner, name, hash, hint, created])
            return KeyRecord(
                id: db.lastInsertedRowID, user: user, name: name, hint: hint, created: created, revoked: nil)
        }
    }

    /// All keys, revoked ones included, oldest first; of one user if one is named.
    public func keys(user: String? = nil) async throws -> [KeyRecord] {
        try await read { db in
            if let user { _ = try Self.id(of: user, db) }
            return try Self.records(db, "? IS NULL OR users.name = ?", [user, user])
        }
    }

    /// Revokes keys for good and says which.
    /// - Throws: ``AccountStoreError`` with `unknownKey` when there is nothing to revoke.
    public func revokeKeys(_ selection: KeySelection) async throws -> [KeyRecord] {
        let time = now()
        return try await write { db in
            let chosen =
                switch selection {
                case .id(let id): try Self.records(db, "api_keys.id = ?", [id])
                case .key(let key): try Self.records(db, "api_keys.hash = ?", [KeyDigest.of(key)])
                case .user(let name):
                    try Self.records(db, "users.id = ? AND revoked_at IS NULL", [try Self.id(of: name, db)])
                }
            guard !chosen.isEmpty else { throw Self.nothing(selection) }
            if let earlier = chosen.first(where: { $0.revoked != nil }) {
                throw AccountStoreError(.unknownKey, "Key \(earlier.id) of user \(earlier.user) was revoked before.")
            }
            for key in chosen {
                try db.execute(sql: "UPDATE api_keys SET revoked_at = ? WHERE id = ?", arguments: [time, key.id])
            }
            return chosen.map {
                KeyRecord(id: $0.id, user: $0.user, name: $0.name, hint: $0.hint, created: $0.created, revoked: time)
            }
        }
    }

    private static func nothing(_ selection: KeySelection) -> AccountStoreError {
        let what =
            switch selection {
            case .id(let id): "There is no key number \(id)."
            case .key: "This key is not in the store."
            case .user(let name): "User \(name) has no key that could be revoked."
            }
        return AccountStoreError(.unknownKey, what + " `feedhost keys list` shows the keys there are.")
    }

    private static func records(
        _ db: Database, _ condition: String, _ arguments: StatementArguments
    ) throws -> [KeyRecord] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT api_keys.id, users.name AS user, api_keys.name, hint, api_keys.created_at, revoked_at
                FROM api_keys JOIN users ON users.id = api_keys.user_id WHERE \(condition) ORDER BY api_keys.id
                """, arguments: arguments
        ).map {
            KeyRecord(
                id: $0["id"], user: $0["user"], name: $0["name"], hint: $0["hint"], created: $0["created_at"],
                revoked: $0["revoked_at"])
        }
    }
}
