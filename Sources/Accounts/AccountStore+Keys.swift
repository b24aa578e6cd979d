import Foundation
import GRDB
import MarketData
import Secrets

/// Which keys to revoke.
public enum KeySelection: Sendable, Hashable {
    case id(Int64)
    case key(Secret)
    /// All keys of a user.
    case user(String)
}

extension AccountStore {
    /// Makes a key. This is the only time that it can be read: the store keeps its digest.
    /// - Parameter name: What the owner calls it; no two good keys of a user have the same.
    public func issueKey(user: String, name: String? = nil, terms: KeyTerms = KeyTerms()) async throws -> Secret {
        let key = KeyDigest.makeKey()
        try await insertKey(key, user: user, name: name, terms: terms)
        return key
    }

    /// Stores a key that was made elsewhere, as `--demo` does. It must be as good as one of ours: random, 32 characters
    /// or more.
    @discardableResult
    public func insertKey(
        _ key: Secret, user: String, name: String? = nil, terms: KeyTerms = KeyTerms()
    ) async throws -> KeyRecord {
        guard key.revealed.count >= KeyDigest.shortestKey else {
            throw AccountStoreError(
                .invalidValue, "The key is too short: \(KeyDigest.shortestKey) random characters or more are needed.")
        }
        if let name { try AccountNames.check(label: name) }
        let created = now()
        try terms.check(now: created)
        let hash = KeyDigest.of(key)
        let hint = String(key.revealed.suffix(4))
        return try await write { db in
            let owner = try Self.id(of: user, db)
            guard try Int64.fetchOne(db, sql: "SELECT id FROM api_keys WHERE hash = ?", arguments: [hash]) == nil else {
                throw AccountStoreError(
                    .duplicateKey, "This key is in the store already; a key belongs to one user, once.")
            }
            if let name { try Self.checkFree(label: name, of: owner, user, now: created, db) }
            try db.execute(
                sql: """
                    INSERT INTO api_keys (user_id, name, hash, hint, created_at, expires_at, permissions)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    owner, name, hash, hint, created, terms.expires, try StoredPermissions.text(terms.permissions),
                ])
            return try Self.record(db.lastInsertedRowID, db)
        }
    }

    /// Changes what a key allows, or until when. An expired key can be good again, a revoked one cannot.
    /// - Returns: the key as it is now.
    @discardableResult
    public func changeKey(
        _ id: Int64, _ change: @escaping @Sendable (inout KeyTerms) throws -> Void
    ) async throws -> KeyRecord {
        let time = now()
        return try await write { db in
            let before = try Self.record(id, db)
            guard before.revoked == nil else {
                throw AccountStoreError(.unknownKey, "Key \(id) of user \(before.user) was revoked; issue a new one.")
            }
            guard let permissions = before.permissions else {
                throw AccountStoreError(
                    .invalidValue,
                    "What key \(id) of user \(before.user) allows was written by a newer feedhost, or changed by hand. Revoke it and issue a new one."
                )
            }
            var terms = KeyTerms(expires: before.expires, permissions: permissions)
            try change(&terms)
            if terms.expires == before.expires { try terms.permissions.check() } else { try terms.check(now: time) }
            if let name = before.name {
                let owner = try Self.id(of: before.user, db)
                try Self.checkFree(label: name, of: owner, before.user, now: time, except: id, db)
            }
            try db.execute(
                sql: "UPDATE api_keys SET expires_at = ?, permissions = ?, changes = changes + 1 WHERE id = ?",
                arguments: [terms.expires, try StoredPermissions.text(terms.permissions), id])
            return try Self.record(id, db)
        }
    }

    /// Expired and revoked keys may share their label with a good one: that is how keys are renewed.
    private static func checkFree(
        label: String, of owner: Int64, _ user: String, now: Int64, except id: Int64 = 0, _ db: Database
    ) throws {
        let taken = try Int64.fetchOne(
            db,
            sql: """
                SELECT id FROM api_keys WHERE user_id = ? AND name = ? AND id <> ? AND revoked_at IS NULL
                AND (expires_at IS NULL OR expires_at > ?)
                """, arguments: [owner, label, id, now])
        if let taken {
            throw AccountStoreError(
                .duplicateLabel,
                "Key \(taken) of user \(user) is called \(AccountNames.shown(label)) already. Choose another label, or revoke it first."
            )
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
            return try chosen.map { try Self.record($0.id, db) }
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

    private static func record(_ id: Int64, _ db: Database) throws -> KeyRecord {
        guard let record = try records(db, "api_keys.id = ?", [id]).first else { throw nothing(.id(id)) }
        return record
    }

    private static func records(
        _ db: Database, _ condition: String, _ arguments: StatementArguments
    ) throws -> [KeyRecord] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT api_keys.id, users.name AS user, api_keys.name, hint, api_keys.created_at, revoked_at, expires_at,
                last_used_at, permissions
                FROM api_keys JOIN users ON users.id = api_keys.user_id WHERE \(condition) ORDER BY api_keys.id
                """, arguments: arguments
        ).map {
            KeyRecord(
                id: $0["id"], user: $0["user"], name: $0["name"], hint: $0["hint"], created: $0["created_at"],
                revoked: $0["revoked_at"], lastUsed: $0["last_used_at"],
                permissions: StoredPermissions.read($0["permissions"]), expires: $0["expires_at"])
        }
    }
}
