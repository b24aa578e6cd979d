import Foundation
import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

struct RotationTests {
    private struct Cut: Error {}

    let folder: TemporaryFolder
    let store: AccountStore
    private let held = ["token": Secret("canary"), "pin": Secret("1234")]
    init() async throws {
        folder = try TemporaryFolder()
        store = try folder.store()
        try await store.addUser("alice", broker: "zerodha")
        try await store.setCredentials(user: "alice", broker: "zerodha", held)
    }

    private func values(_ store: AccountStore) async throws -> [String: Secret] {
        try await store.credentials(user: "alice", broker: "zerodha").values
    }

    private func keyText(_ name: String = "store.db.key") throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
    }

    @Test func everythingIsEncryptedAnewAndTheOldKeyIsKept() async throws {
        let before = try keyText()
        let row = try await store.read { try CredentialVault.rows($0).first?.ciphertext }
        let version = try await store.credentials(user: "alice", broker: "zerodha").version
        let rotation = try await store.rotateKey()
        #expect(
            rotation
                == KeyRotation(
                    credentials: 2, keyFile: folder.file("store.db.key"), oldKeyFile: folder.file("store.db.key.old")))
        #expect(try keyText() != before)
        #expect(try keyText("store.db.key.old") == before)
        #expect(try folder.mode("store.db.key") == 0o600)
        #expect(try await store.read { try CredentialVault.rows($0).first?.ciphertext } != row)
        let after = try await store.credentials(user: "alice", broker: "zerodha")
        #expect(after == BrokerCredentials(version: version, values: held), "no session is rebuilt for this")
        #expect(!FileManager.default.fileExists(atPath: folder.file("store.db.key.new")))
    }

    @Test(arguments: RotationStep.allCases)
    func cutOffAnywhere(_ point: RotationStep) async throws {
        let other = try folder.store()
        await #expect(throws: Cut.self) {
            _ = try await store.rotateKey { step in if step == point { throw Cut() } }
        }
        // Who was there, and who comes.
        #expect(try await values(store) == held)
        #expect(try await values(other) == held)
        try store.close()
        try other.close()
        let next = try folder.store()
        #expect(try await values(next) == held)
        // Cut off at the same point again: what was left must not be overwritten while it is needed.
        await #expect(throws: Cut.self) {
            _ = try await next.rotateKey { step in if step == point { throw Cut() } }
        }
        #expect(try await values(next) == held)
        let key = try keyText()
        #expect(try await next.rotateKey().credentials == 2)
        #expect(try keyText() != key)
        #expect(try await values(next) == held)
        #expect(try await values(folder.store()) == held)
    }

    @Test func runningHostGoesOn() async throws {
        let host = try folder.store()
        for _ in 0..<3 {
            _ = try await store.rotateKey()
            #expect(try await values(host) == held)
            try await host.setCredentials(
                user: "alice", broker: "angel", ["token": Secret("\(UInt64.random(in: 0...99))x")])
            #expect(try await store.verifyCredentials() == 3)
        }
    }

    @Test func manyAtOnce() async throws {
        let other = try folder.store()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for one in [store, other] {
                group.addTask { for _ in 0..<4 { _ = try await one.rotateKey() } }
                group.addTask {
                    for _ in 0..<20 { try await one.verifyCredentials() }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await values(folder.store()) == held)
    }

    @Test func backupFromBeforeOpensWithTheOldKey() async throws {
        try store.close()
        let backup = try Data(contentsOf: URL(fileURLWithPath: store.path))
        let rotated = try folder.store()
        _ = try await rotated.rotateKey()
        try rotated.close()
        try backup.write(to: URL(fileURLWithPath: store.path))
        let restored = try folder.store()
        #expect(try await values(restored) == held)
        _ = try await restored.rotateKey()
        #expect(try await values(restored) == held)
    }

    @Test func keyOfTheEnvironmentMovesToAFile() async throws {
        let folder = try TemporaryFolder()
        let source = MasterKeySource.text(Secret(String(repeating: "5c", count: 32)), origin: "FEEDHOST_MASTER_KEY")
        let store = try folder.store(key: source)
        try await store.addUser("alice", broker: "zerodha")
        try await store.setCredentials(user: "alice", broker: "zerodha", held)
        do {
            _ = try await store.rotateKey()
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".contains("--new-key-file") && "\(error)".contains("FEEDHOST_MASTER_KEY"))
        }
        #expect(try await values(store) == held)
        try folder.write("taken", "not a key")
        await #expect(throws: AccountStoreError.self) { _ = try await store.rotateKey(newFile: folder.file("taken")) }
        #expect(try await values(store) == held)
        #expect(try await store.rotateKey(newFile: folder.file("new.key")).oldKeyFile == nil)
        #expect(await store.keyTrouble()?.contains("FEEDHOST_MASTER_KEY") == true)
        try store.close()
        #expect(try await values(folder.store(key: .file(folder.file("new.key")))) == held)
    }

    @Test func storeWithoutCredentials() async throws {
        let folder = try TemporaryFolder()
        let store = try folder.store()
        #expect(try await store.rotateKey().credentials == 0)
        try await store.addUser("alice", broker: "zerodha")
        try await store.setCredentials(user: "alice", broker: "zerodha", held)
        #expect(try await values(store) == held)
    }

    @Test func unwritableKeyFileChangesNothing() async throws {
        // A folder in the place of the draft: nobody can write there, not even root.
        try FileManager.default.createDirectory(
            atPath: folder.file("store.db.key.new"), withIntermediateDirectories: false)
        await #expect(throws: AccountStoreError.self) { _ = try await store.rotateKey() }
        #expect(try await values(store) == held)
    }
}
