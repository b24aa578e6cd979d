import GRDB

/// The tables of the store, as steps from nothing to now. A released step is never edited: a new one is added.
enum AccountSchema {
    /// `FHos`: tells our files from other programs' SQLite files.
    static let applicationID = 0x4648_6F73

    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1-accounts") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: tables)
        }
        migrator.registerMigration("v2-terms-and-encryption") { try $0.execute(sql: termsAndEncryption) }
        return migrator
    }()

    // Numbers of users and keys are never reused (AUTOINCREMENT): an old number must not come to mean somebody else.
    // Times are seconds since 1970, UTC. The clock gives every change of credentials a number above all earlier ones,
    // also after a removal, so that a session can tell new from old.
    private static let tables = """
        CREATE TABLE users (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            broker TEXT,
            created_at INTEGER NOT NULL);
        CREATE TABLE api_keys (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            name TEXT,
            hash BLOB NOT NULL UNIQUE,
            hint TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            revoked_at INTEGER);
        CREATE INDEX api_keys_user ON api_keys(user_id);
        CREATE TABLE credential_sets (
            id INTEGER PRIMARY KEY,
            user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
            broker TEXT NOT NULL,
            version INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            UNIQUE (user_id, broker));
        CREATE TABLE credentials (
            set_id INTEGER NOT NULL REFERENCES credential_sets(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (set_id, name)) WITHOUT ROWID;
        CREATE TABLE credential_clock (id INTEGER PRIMARY KEY CHECK (id = 1), now INTEGER NOT NULL);
        INSERT INTO credential_clock VALUES (1, 0);
        """

    // `permissions` is JSON (``StoredPermissions``), NULL for a key that may do everything. `plain` holds what the first
    // version wrote, from this step to the moment right after it when the store encrypts it. `scrubbed` is 0 while the file may
    // still hold such text in pages that are free.
    private static let termsAndEncryption = """
        ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;
        ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
        ALTER TABLE api_keys ADD COLUMN permissions TEXT;
        ALTER TABLE api_keys ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE encryption (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            key_id TEXT,
            scrubbed INTEGER NOT NULL);
        INSERT INTO encryption SELECT 1, NULL, now = 0 FROM credential_clock;
        ALTER TABLE credentials RENAME TO credentials_v1;
        CREATE TABLE credentials (
            set_id INTEGER NOT NULL REFERENCES credential_sets(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            ciphertext BLOB,
            plain TEXT,
            PRIMARY KEY (set_id, name),
            CHECK ((ciphertext IS NULL) <> (plain IS NULL))) WITHOUT ROWID;
        INSERT INTO credentials (set_id, name, plain) SELECT set_id, name, value FROM credentials_v1;
        DROP TABLE credentials_v1;
        """

    /// Refuses what is not ours before anything is written to it.
    static func inspect(_ db: Database, path: String) throws {
        let mark = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let foreign = try String.fetchAll(
            db,
            sql:
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name LIMIT 4"
        )
        if mark != applicationID, mark != 0 || !foreign.isEmpty {
            throw AccountStoreError(
                .otherProgram,
                "\(path) is the database of another program (tables: \(foreign.joined(separator: ", "))) and was left alone. "
                    + "Name another file with --store.")
        }
        // The user version is not used; the names of applied migrations tell more than a number.
        if try mark == applicationID && migrator.hasBeenSuperseded(db) {
            throw AccountStoreError(
                .newerSchema,
                "The account store \(path) was written by a newer feedhost than this one. Run the newer program, or name another file with --store."
            )
        }
    }
}
