import Foundation
import GRDB
import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

struct EncryptionTests {
    let folder: TemporaryFolder
    let store: AccountStore
    init() async throws {
        folder = try TemporaryFolder()
        store = try folder.store()
        for user in ["alice", "bob"] {
            try await store.addUser(user, broker: "zerodha")
            try await store.setCredentials(
                user: user, broker: "zerodha", ["token": Secret("canary-\(user)"), "pin": Secret("1234")])
        }
    }

    private func code(_ body: () async throws -> Void) async -> AccountStoreError.Code? {
        do { try await body() } catch {
            #expect(!"\(error)".contains("canary"))
            return (error as? AccountStoreError)?.code
        }
        return nil
    }

    @Test func noFileHoldsAValue() async throws {
        #expect(try folder.files(holding: "canary").isEmpty)
        #expect(try folder.mode("store.db.key") == 0o600)
        try store.close()
        #expect(try folder.files(holding: "canary").isEmpty)
        #expect(try await folder.store().verifyCredentials() == 4)
    }

    @Test func noKeyIsMadeBeforeItIsNeeded() async throws {
        let folder = try TemporaryFolder()
        let store = try folder.store()
        try await store.addUser("alice", broker: "zerodha")
        try await store.setCredentials(user: "alice", broker: "zerodha", ["token": Secret("")])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains("key") })
    }

    @Test func anotherKeyIsSaidByNameAndNothingIsMadeUp() async throws {
        try store.close()
        let wrong = try folder.store(key: .text(Secret(String(repeating: "ab", count: 32)), origin: "SOME_VARIABLE"))
        let trouble = try #require(await wrong.keyTrouble())
        #expect(trouble.contains("SOME_VARIABLE") && trouble.contains(wrong.path))
        #expect(await code { _ = try await wrong.credentials(user: "alice", broker: "zerodha") } == .wrongKey)
        #expect(await code { try await wrong.verifyCredentials() } == .wrongKey)
        #expect(
            await code {
                try await wrong.setCredentials(user: "alice", broker: "angel", ["token": Secret("canary")])
            } == .wrongKey, "a second key would make a store that no key opens")
        await #expect(
            throws: FeedError(.server, "The broker credentials cannot be decrypted; the host's log says why")
        ) {
            try await SQLiteAccounts(store: wrong, defaults: ["token": Secret("x")]).credentials(
                user: "bob", broker: "zerodha")
        }
        // Who has none is not concerned, and nobody is kept out.
        #expect(try await wrong.credentials(user: "alice", broker: "angel").values.isEmpty)
        let key = try await wrong.issueKey(user: "alice")
        #expect(try await SQLiteAccounts(store: wrong).authenticate(key: key).user == "alice")
    }

    @Test func lostKeyFileIsNotReplaced() async throws {
        try FileManager.default.removeItem(atPath: store.path + ".key")
        #expect(await code { _ = try await store.credentials(user: "alice", broker: "zerodha") } == .unreadableKey)
        #expect(
            await code {
                try await store.setCredentials(user: "alice", broker: "zerodha", ["token": Secret("new")])
            } == .unreadableKey)
        #expect(!FileManager.default.fileExists(atPath: store.path + ".key"))
        // The way out: without the old credentials a new key may begin.
        #expect(try await store.removeCredentials(user: "alice", broker: "zerodha") == ["pin", "token"])
        #expect(await code { try await store.verifyCredentials() } == .unreadableKey)
        try await store.removeCredentials(user: "bob", broker: "zerodha")
        #expect(await store.keyTrouble() == nil)
        try await store.setCredentials(user: "alice", broker: "zerodha", ["token": Secret("new")])
        #expect(try await store.credentials(user: "alice", broker: "zerodha").values == ["token": Secret("new")])
    }

    @Test func swappedRowsDoNotOpen() async throws {
        try await store.write { db in
            try db.execute(
                sql: """
                    UPDATE credentials SET ciphertext = (SELECT ciphertext FROM credentials c WHERE c.set_id = 1
                    AND c.name = 'token') WHERE set_id = 2 AND name = 'token'
                    """)
        }
        #expect(try await store.credentials(user: "alice", broker: "zerodha").values["pin"] == Secret("1234"))
        do {
            _ = try await store.credentials(user: "bob", broker: "zerodha")
            Issue.record("nothing was thrown")
        } catch {
            #expect((error as? AccountStoreError)?.code == .damagedCredential)
            #expect("\(error)".contains("token") && "\(error)".contains("bob") && "\(error)".contains("zerodha"))
        }
        #expect(await code { try await store.verifyCredentials() } == .damagedCredential)
        // Rotation would lose it for good.
        #expect(await code { _ = try await store.rotateKey() } == .damagedCredential)
        #expect(try await store.credentials(user: "alice", broker: "zerodha").values.count == 2)
        // What is damaged can be set anew, and the value beside it is still there.
        try await store.setCredentials(user: "bob", broker: "zerodha", ["token": Secret("new")])
        #expect(
            try await store.credentials(user: "bob", broker: "zerodha").values
                == ["token": Secret("new"), "pin": Secret("1234")])
    }

    @Test func keyInTheEnvironmentAndInAFileAreOne() async throws {
        let folder = try TemporaryFolder()
        let text = String(repeating: "5c", count: 32)
        let first = try folder.store(key: .text(Secret(text), origin: "FEEDHOST_MASTER_KEY"))
        try await first.addUser("alice", broker: "zerodha")
        try await first.setCredentials(user: "alice", broker: "zerodha", ["token": Secret("t")])
        try first.close()
        try folder.write("elsewhere", text)
        let second = try folder.store(key: .file(folder.file("elsewhere")))
        #expect(second.notices.contains { $0.contains("elsewhere") }, "its mode was too wide")
        #expect(try await second.credentials(user: "alice", broker: "zerodha").values == ["token": Secret("t")])
        #expect(!FileManager.default.fileExists(atPath: folder.file("store.db.key")))
    }

    @Test func twoProcessesShareWhatTheyEncrypt() async throws {
        let other = try folder.store()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, one) in [store, other, store, other].enumerated() {
                group.addTask {
                    for round in 0..<5 {
                        try await one.setCredentials(
                            user: "alice", broker: "zerodha", ["n\(number)": Secret("\(round)")])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await other.verifyCredentials() == 8)
    }
}
