import Foundation
import GRDB
import MarketData
import TestSupport
import Testing

@testable import Accounts

struct OpeningTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func code(_ path: String, create: Bool = true) -> AccountStoreError.Code? {
        do {
            _ = try AccountStore(path: path, create: create)
            return nil
        } catch {
            #expect("\(error)".contains(path) || "\(error)".contains((path as NSString).deletingLastPathComponent))
            return (error as? AccountStoreError)?.code
        }
    }

    @Test func newFileIsPrivateAndSoIsItsFolder() async throws {
        let store = try AccountStore(path: folder.file("deep/er/store.db"))
        try await store.addUser("alice", broker: "simulator")
        #expect(try folder.mode("deep/er/store.db") == 0o600)
        #expect(try folder.mode("deep/er/store.db-wal") == 0o600)
        #expect(try folder.mode("deep/er") == 0o700)
        #expect(try folder.mode("deep") == 0o700)
        #expect(store.notices.isEmpty)
    }

    @Test func widerFileIsTightenedAndThatIsSaid() throws {
        try folder.store().close()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.file("store.db"))
        let store = try folder.store()
        #expect(try folder.mode("store.db") == 0o600)
        #expect(store.notices.count == 1)
        #expect(store.notices.first?.contains("0644") == true)
    }

    @Test func usesWriteAheadLogAndForeignKeys() async throws {
        let store = try folder.store()
        let found = try await store.read { db in
            (
                try String.fetchOne(db, sql: "PRAGMA journal_mode"), try Int.fetchOne(db, sql: "PRAGMA foreign_keys"),
                try Int.fetchOne(db, sql: "PRAGMA busy_timeout")
            )
        }
        #expect(found == ("wal", 1, 5000))
    }

    @Test func missingIsSaidWhenItMustExist() {
        #expect(code(folder.file("none.db"), create: false) == .missing)
        #expect(!FileManager.default.fileExists(atPath: folder.file("none.db")))
    }

    @Test func fileInPlaceOfFolder() throws {
        try Data().write(to: URL(fileURLWithPath: folder.file("plain")))
        #expect(code(folder.file("plain/store.db")) == .directory)
    }

    @Test func folderInPlaceOfFile() {
        #expect(code(folder.path) == .notADatabase)
    }

    @Test func textFileIsLeftAsItWas() throws {
        let text = Data(String(repeating: "not a database\n", count: 100).utf8)
        try text.write(to: URL(fileURLWithPath: folder.file("text.db")))
        #expect(code(folder.file("text.db")) == .notADatabase)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("text.db"))) == text)
    }

    @Test func anotherProgramsDatabaseIsLeftAsItWas() throws {
        let queue = try DatabaseQueue(path: folder.file("openalgo.db"))
        try queue.write { try $0.execute(sql: "CREATE TABLE api_keys (id INTEGER); INSERT INTO api_keys VALUES (7)") }
        try queue.close()
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.file("openalgo.db")))
        #expect(code(folder.file("openalgo.db")) == .otherProgram)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("openalgo.db"))) == before)
    }

    @Test func newerSchemaIsRefused() async throws {
        let store = try folder.store()
        try await store.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('v99-future')") }
        try store.close()
        #expect(code(folder.file("store.db")) == .newerSchema)
    }

    @Test func damagedFileIsSaid() async throws {
        let store = try folder.store()
        for number in 0..<50 { try await store.addUser("user\(number)", broker: "simulator") }
        try store.close()
        let url = URL(fileURLWithPath: folder.file("store.db"))
        var bytes = try Data(contentsOf: url)
        bytes.replaceSubrange(100..<bytes.count, with: repeatElement(0xEE, count: bytes.count - 100))
        try bytes.write(to: url)
        #expect(code(folder.file("store.db")) == .corrupt)
    }

    @Test func fullDiskIsSaid() async throws {
        let store = try folder.store()
        // A page limit gives the same SQLITE_FULL that a full disk does.
        try await store.write { try $0.execute(sql: "PRAGMA max_page_count = 1") }
        let large = String(repeating: "x", count: 100_000)
        do {
            try await store.write {
                try $0.execute(sql: "CREATE TABLE big AS SELECT ? AS x", arguments: [large])
            }
            Issue.record("nothing was thrown")
        } catch {
            #expect((error as? AccountStoreError)?.code == .diskFull)
        }
    }

    @Test func openedTwiceAtOnce() async throws {
        let path = folder.file("race.db")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<6 {
                group.addTask {
                    try await AccountStore(path: path).addUser("user\(number)", broker: "simulator")
                }
            }
            try await group.waitForAll()
        }
        #expect(try await AccountStore(path: path).users().count == 6)
    }

    @Test func keepsWhatItHolds() async throws {
        let first = try folder.store()
        try await first.addUser("alice", broker: "simulator")
        let key = try await first.issueKey(user: "alice")
        try first.close()
        let account = try await SQLiteAccounts(store: folder.store()).authenticate(key: key)
        #expect(account.user == "alice")
    }
}
