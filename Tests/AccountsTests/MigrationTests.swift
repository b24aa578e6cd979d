import Foundation
import GRDB
import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

/// Stores as the first released version wrote them, in plain text.
struct MigrationTests {
    let folder: TemporaryFolder
    let key = Secret(String(repeating: "1234abcd", count: 8))

    init() throws {
        folder = try TemporaryFolder()
        var configuration = Configuration()
        configuration.journalMode = .wal
        let queue = try DatabaseQueue(path: folder.file("store.db"), configuration: configuration)
        // Some systems' SQLite has it on.
        try queue.inDatabase { try $0.execute(sql: "PRAGMA secure_delete = OFF") }
        try queue.write { db in
            try db.execute(sql: Self.firstVersion)
            try db.execute(
                sql: """
                    INSERT INTO users VALUES (1, 'alice', 'zerodha', 5), (2, 'bob', NULL, 6);
                    INSERT INTO credential_sets VALUES (1, 1, 'zerodha', 7, 8), (2, 2, 'angel', 9, 10);
                    INSERT INTO credentials VALUES (1, 'token', 'canary-one'), (1, 'pin', 'canary-two'),
                        (2, 'token', 'canary-three');
                    UPDATE credential_clock SET now = 9;
                    """)
            try db.execute(
                sql: """
                    INSERT INTO api_keys (user_id, name, hash, hint, created_at) VALUES (1, 'x', ?, 'abcd', 11),
                    (1, 'x', x'00', 'none', 12)
                    """, arguments: [KeyDigest.of(key)])
            // Removed values that stay in free pages.
            for number in 0..<200 {
                try db.execute(
                    sql: "INSERT INTO credentials VALUES (2, ?, ?)",
                    arguments: ["old\(number)", String(repeating: "canary-gone ", count: 20)])
            }
            try db.execute(sql: "DELETE FROM credentials WHERE name LIKE 'old%'")
        }
        try queue.close()
    }

    @Test func everythingIsThereAndNothingIsReadable() async throws {
        #expect(try folder.files(holding: "canary-gone") == ["store.db"], "or this test shows nothing")
        let store = try folder.store()
        #expect(try folder.files(holding: "canary").isEmpty)
        let notice = try #require(store.notices.first { $0.contains("plain text") })
        #expect(notice.contains("3 credentials") && notice.contains("store.db.key"))
        #expect(
            try await store.credentials(user: "alice", broker: "zerodha")
                == BrokerCredentials(version: 7, values: ["token": Secret("canary-one"), "pin": Secret("canary-two")]))
        #expect(try await store.credentials(user: "bob", broker: "angel").version == 9)
        #expect(
            try await SQLiteAccounts(store: store).authenticate(key: key)
                == Account(user: "alice", broker: "zerodha", keyID: 1))
        #expect(try await store.keys().map(\.name) == ["x", "x"], "labels may be twice in old stores")
        try await store.setCredentials(user: "alice", broker: "zerodha", ["pin": Secret("9")])
        #expect(try await store.credentials(user: "alice", broker: "zerodha").version == 10)
        try store.close()
        #expect(try folder.store().notices.isEmpty)
        #expect(try folder.files(holding: "canary").isEmpty)
    }

    @Test func withoutAGoodKeyItGoesOnAndSaysSo() async throws {
        let store = try folder.store(key: .text(Secret("no key"), origin: "FEEDHOST_MASTER_KEY"))
        let notice = try #require(store.notices.last)
        #expect(notice.contains("still plain text") && notice.contains("FEEDHOST_MASTER_KEY"))
        #expect(try await store.credentials(user: "alice", broker: "zerodha").values["pin"] == Secret("canary-two"))
        try store.close()
        let mended = try folder.store()
        #expect(try folder.files(holding: "canary").isEmpty)
        #expect(try await mended.credentials(user: "alice", broker: "zerodha").values["pin"] == Secret("canary-two"))
    }

    @Test func scrubbingThatWasHinderedIsDoneAtTheNextStart() async throws {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: folder.file("store.db"), configuration: configuration)
        let count: Int? = try await reader.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN")
            return try Int.fetchOne(db, sql: "SELECT count(*) FROM users")
        }
        #expect(count == 2)
        let store = try folder.store()
        #expect(store.notices.contains { $0.contains("free parts of the file") }, "\(store.notices)")
        try store.close()
        try await reader.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        try reader.close()
        let again = try folder.store()
        #expect(again.notices.isEmpty)
        #expect(try folder.files(holding: "canary").isEmpty)
    }

    /// As version 1 made it, with GRDB's table of migrations.
    private static let firstVersion = """
        PRAGMA application_id = 1179152243;
        CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
        INSERT INTO grdb_migrations VALUES ('v1-accounts');
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
}
