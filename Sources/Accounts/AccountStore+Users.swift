import GRDB

extension AccountStore {
    /// Adds a user who is on a broker.
    /// - Throws: ``AccountStoreError`` with `duplicateUser` when the name is taken.
    public func addUser(_ name: String, broker: String) async throws {
        try AccountNames.check(user: name)
        try AccountNames.check(broker: broker)
        let created = now()
        try await write { db in
            if let taken = try Row.fetchOne(db, sql: "SELECT broker FROM users WHERE name = ?", arguments: [name]) {
                throw Self.taken(name, on: taken["broker"], wanted: broker)
            }
            try db.execute(
                sql: "INSERT INTO users (name, broker, created_at) VALUES (?, ?, ?)",
                arguments: [name, broker, created])
        }
    }

    /// All users by name.
    public func users() async throws -> [UserRecord] {
        let time = now()
        return try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT users.id, users.name, users.broker, users.created_at, COUNT(api_keys.id) AS active
                    FROM users LEFT JOIN api_keys ON api_keys.user_id = users.id AND api_keys.revoked_at IS NULL
                    AND (expires_at IS NULL OR expires_at > ?)
                    GROUP BY users.id ORDER BY users.name
                    """, arguments: [time]
            ).map {
                UserRecord(
                    id: $0["id"], name: $0["name"], broker: $0["broker"], created: $0["created_at"],
                    activeKeys: $0["active"], credentialBrokers: try Self.credentialBrokers(of: $0["id"], db))
            }
        }
    }

    /// Whether there is a user of that name; a look into an index.
    public func hasUser(_ name: String) async throws -> Bool {
        try await read {
            try Bool.fetchOne($0, sql: "SELECT EXISTS (SELECT 1 FROM users WHERE name = ?)", arguments: [name])
        }
            ?? false
    }

    /// The brokers that a user has credentials for, by name.
    static func credentialBrokers(of user: Int64, _ db: Database) throws -> [String] {
        try String.fetchAll(
            db, sql: "SELECT broker FROM credential_sets WHERE user_id = ? ORDER BY broker", arguments: [user])
    }

    /// Puts a user on another broker. Credentials stay, each with its broker.
    public func moveUser(_ name: String, to broker: String) async throws {
        try AccountNames.check(broker: broker)
        try await write { db in
            try db.execute(sql: "UPDATE users SET broker = ? WHERE name = ?", arguments: [broker, name])
            if db.changesCount == 0 { throw Self.unknown(name) }
        }
    }

    /// Removes a user with their keys and credentials.
    public func removeUser(_ name: String) async throws {
        try await write { db in
            try db.execute(sql: "DELETE FROM users WHERE name = ?", arguments: [name])
            if db.changesCount == 0 { throw Self.unknown(name) }
        }
    }

    /// - Throws: ``AccountStoreError`` with `unknownUser`.
    static func id(of user: String, _ db: Database) throws -> Int64 {
        guard let id = try Int64.fetchOne(db, sql: "SELECT id FROM users WHERE name = ?", arguments: [user]) else {
            throw unknown(user)
        }
        return id
    }

    static func unknown(_ user: String) -> AccountStoreError {
        AccountStoreError(
            .unknownUser, "There is no user \(AccountNames.shown(user)). `feedhost users list` shows those there are.")
    }

    private static func taken(_ name: String, on broker: String?, wanted: String) -> AccountStoreError {
        if broker == wanted {
            return AccountStoreError(.duplicateUser, "User \(name) exists already and is on broker \(wanted).")
        }
        return AccountStoreError(
            .duplicateUser,
            "User \(name) exists already, on broker \(broker ?? "none"). `feedhost users move \(name) --broker \(wanted)` changes that."
        )
    }
}
