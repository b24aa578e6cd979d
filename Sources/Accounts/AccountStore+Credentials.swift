import GRDB
import MarketData

extension AccountStore {
    /// Merges values into a user's credentials at a broker. An empty value removes its name.
    ///
    /// Setting what is there already changes nothing, not even the version: sessions are rebuilt on a new version.
    /// - Returns: the names that are set now.
    @discardableResult
    public func setCredentials(user: String, broker: String, _ values: [String: Secret]) async throws -> [String] {
        try AccountNames.check(broker: broker)
        for name in values.keys { try AccountNames.check(credential: name) }
        let time = now()
        return try await write { db in
            let owner = try Self.id(of: user, db)
            let before = try Self.credentials(user: user, broker: broker, db).values
            let after = before.merging(values) { $1 }.filter { !$0.value.isEmpty }
            guard after != before else { return after.keys.sorted() }
            try Self.replace(owner: owner, broker: broker, with: after, time: time, db)
            return after.keys.sorted()
        }
    }

    /// Removes all of a user's credentials at a broker.
    /// - Returns: the names that were removed.
    @discardableResult
    public func removeCredentials(user: String, broker: String) async throws -> [String] {
        try await write { db in
            let owner = try Self.id(of: user, db)
            let before = try Self.credentials(user: user, broker: broker, db).values
            try db.execute(
                sql: "DELETE FROM credential_sets WHERE user_id = ? AND broker = ?", arguments: [owner, broker])
            return before.keys.sorted()
        }
    }

    /// What is stored; empty with version 0 when nothing is.
    public func credentials(user: String, broker: String) async throws -> BrokerCredentials {
        try await read { try Self.credentials(user: user, broker: broker, $0) }
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

    private static func credentials(user: String, broker: String, _ db: Database) throws -> BrokerCredentials {
        let set = try Row.fetchOne(
            db,
            sql: """
                SELECT credential_sets.id, version FROM credential_sets JOIN users ON users.id = user_id
                WHERE users.name = ? AND credential_sets.broker = ?
                """, arguments: [user, broker])
        guard let set else { return BrokerCredentials() }
        var values: [String: Secret] = [:]
        let rows = try Row.fetchCursor(
            db, sql: "SELECT name, value FROM credentials WHERE set_id = ?", arguments: [set["id"] as Int64])
        while let row = try rows.next() { values[row["name"]] = Secret(row["value"]) }
        return BrokerCredentials(version: UInt64(set["version"] as Int64), values: values)
    }

    private static func replace(
        owner: Int64, broker: String, with values: [String: Secret], time: Int64, _ db: Database
    ) throws {
        try db.execute(sql: "UPDATE credential_clock SET now = now + 1")
        try db.execute(
            sql: """
                INSERT INTO credential_sets (user_id, broker, version, updated_at)
                VALUES (?, ?, (SELECT now FROM credential_clock), ?)
                ON CONFLICT (user_id, broker) DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at
                """, arguments: [owner, broker, time])
        let set = try Int64.fetchOne(
            db, sql: "SELECT id FROM credential_sets WHERE user_id = ? AND broker = ?", arguments: [owner, broker])
        try db.execute(sql: "DELETE FROM credentials WHERE set_id = ?", arguments: [set])
        for (name, value) in values {
            try db.execute(
                sql: "INSERT INTO credentials (set_id, name, value) VALUES (?, ?, ?)",
                arguments: [set, name, value.revealed])
        }
    }
}
