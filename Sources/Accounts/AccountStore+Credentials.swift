import GRDB
import MarketData
import Secrets

extension AccountStore {
    /// Merges values into a user's credentials at a broker. An empty value removes its name.
    ///
    /// Setting what is there already changes nothing, not even the version: sessions are rebuilt on a new version.
    /// - Returns: the names that are set now.
    /// - Throws: ``AccountStoreError``, with `wrongKey` or `unreadableKey` when others are stored that were encrypted with a key
    ///   that is not at hand.
    @discardableResult
    public func setCredentials(user: String, broker: String, _ values: [String: Secret]) async throws -> [String] {
        try AccountNames.check(broker: broker)
        for name in values.keys { try AccountNames.check(credential: name) }
        let time = now()
        return try await write { db in
            let owner = try Self.id(of: user, db)
            let before = try CredentialVault.rows(
                db, "users.id = ? AND credential_sets.broker = ?", [owner, broker])
            let names = Set(before.map(\.place.name))
            let reading = try self.vault.cipher(reading: db)
            let changed = values.filter { name, value in
                guard let row = before.first(where: { $0.place.name == name }) else { return !value.isEmpty }
                // One that is damaged is replaced.
                return (try? self.vault.open(row, reading)) != value
            }
            let after = names.union(changed.filter { !$0.value.isEmpty }.keys)
                .subtracting(changed.filter(\.value.isEmpty).keys)
            guard !changed.isEmpty else { return after.sorted() }
            let set = try Self.renew(owner: owner, broker: broker, time: time, db)
            let cipher = try self.vault.cipher(writing: db)
            for (name, value) in changed {
                try db.execute(
                    sql: "DELETE FROM credentials WHERE set_id = ? AND name = ?", arguments: [set, name])
                guard !value.isEmpty else { continue }
                try db.execute(
                    sql: "INSERT INTO credentials (set_id, name, ciphertext) VALUES (?, ?, ?)",
                    arguments: [
                        set, name, try cipher.seal(value, .init(owner: owner, broker: broker, name: name)),
                    ])
            }
            return after.sorted()
        }
    }

    /// Removes all of a user's credentials at a broker. Needs no key.
    /// - Returns: the names that were removed.
    @discardableResult
    public func removeCredentials(user: String, broker: String) async throws -> [String] {
        try await write { db in
            let owner = try Self.id(of: user, db)
            let before = try CredentialVault.rows(
                db, "users.id = ? AND credential_sets.broker = ?", [owner, broker])
            try db.execute(
                sql: "DELETE FROM credential_sets WHERE user_id = ? AND broker = ?", arguments: [owner, broker])
            return before.map(\.place.name)
        }
    }

    /// What is stored; empty with version 0 when nothing is.
    /// - Throws: ``AccountStoreError``, with `wrongKey`, `unreadableKey` or `damagedCredential` when it cannot be decrypted.
    public func credentials(user: String, broker: String) async throws -> BrokerCredentials {
        try await decrypting { db in
            let version = try Int64.fetchOne(
                db,
                sql: """
                    SELECT version FROM credential_sets JOIN users ON users.id = user_id
                    WHERE users.name = ? AND credential_sets.broker = ?
                    """, arguments: [user, broker])
            guard let version else { return BrokerCredentials() }
            let rows = try CredentialVault.rows(
                db, "users.name = ? AND credential_sets.broker = ?", [user, broker])
            let cipher = rows.isEmpty ? nil : try self.vault.cipher(reading: db)
            var values: [String: Secret] = [:]
            for row in rows { values[row.place.name] = try self.vault.open(row, cipher) }
            return BrokerCredentials(version: UInt64(version), values: values)
        }
    }

    /// Which names are set; values are never listed.
    public func credentialRecords(user: String? = nil) async throws -> [CredentialRecord] {
        try await read { db in
            if let user { _ = try Self.id(of: user, db) }
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT credential_sets.id, users.name AS user, credential_sets.broker, version, updated_at
                    FROM credential_sets JOIN users ON users.id = user_id
                    WHERE ? IS NULL OR users.name = ? ORDER BY users.name, credential_sets.broker
                    """, arguments: [user, user]
            ).map { row in
                let names = try String.fetchAll(
                    db, sql: "SELECT name FROM credentials WHERE set_id = ? ORDER BY name",
                    arguments: [row["id"] as Int64])
                return CredentialRecord(
                    user: row["user"], broker: row["broker"], names: names, version: UInt64(row["version"] as Int64),
                    updated: row["updated_at"])
            }
        }
    }

    /// Gives the set a version above all earlier ones; makes it if there is none.
    /// - Returns: its number.
    private static func renew(owner: Int64, broker: String, time: Int64, _ db: Database) throws -> Int64? {
        try db.execute(sql: "UPDATE credential_clock SET now = now + 1")
        try db.execute(
            sql: """
                INSERT INTO credential_sets (user_id, broker, version, updated_at)
                VALUES (?, ?, (SELECT now FROM credential_clock), ?)
                ON CONFLICT (user_id, broker) DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at
                """, arguments: [owner, broker, time])
        return try Int64.fetchOne(
            db, sql: "SELECT id FROM credential_sets WHERE user_id = ? AND broker = ?", arguments: [owner, broker])
    }
}
