import Foundation
import GRDB
import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

struct KeyTests {
    let folder: TemporaryFolder
    let store: AccountStore
    let accounts: SQLiteAccounts
    init() async throws {
        folder = try TemporaryFolder()
        store = try folder.store()
        accounts = SQLiteAccounts(store: store)
        try await store.addUser("alice", broker: "simulator")
    }

    @Test func issuedKeyLooksLikeOneAndOpensTheDoor() async throws {
        let key = try await store.issueKey(user: "alice", name: "laptop")
        #expect(key.revealed.count == 64)
        #expect(key.revealed.allSatisfy { "0123456789abcdef".contains($0) })
        let account = try await accounts.authenticate(key: key)
        let record = try #require(try await store.keys().first)
        #expect(account == Account(user: "alice", broker: "simulator", keyID: record.id))
        #expect(record.hint == String(key.revealed.suffix(4)))
        #expect(record.name == "laptop")
        #expect(try await store.issueKey(user: "alice") != key)
    }

    @Test func theFileHoldsNoKey() async throws {
        let key = try await store.issueKey(user: "alice")
        try store.close()
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
            #expect(bytes.range(of: Data(key.revealed.utf8)) == nil)
        }
    }

    @Test func digestIsSHA256() {
        let digest = KeyDigest.of(Secret("abc")).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
        #expect(digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test(arguments: [
        "", "wrong", "' OR 1=1 --", String(repeating: "f", count: 64), String(repeating: "x", count: 1_000_000),
    ])
    func wrongKeys(_ key: String) async throws {
        _ = try await store.issueKey(user: "alice")
        await #expect(throws: FeedError(.authentication, "Invalid API key")) {
            try await accounts.authenticate(key: Secret(key))
        }
    }

    @Test func userWithoutBroker() async throws {
        let key = try await store.issueKey(user: "alice")
        try await store.write { try $0.execute(sql: "UPDATE users SET broker = NULL") }
        await #expect(throws: FeedError(.broker, "No broker configuration found for user")) {
            try await accounts.authenticate(key: key)
        }
    }

    @Test func unreadableStoreIsTheServersFault() async throws {
        try store.close()
        await #expect(throws: FeedError(.server, "The account store cannot be read")) {
            try await accounts.authenticate(key: Secret("x"))
        }
    }

    @Test func revokedByNumberByKeyAndByUser() async throws {
        var keys: [Secret] = []
        for _ in 0..<4 { keys.append(try await store.issueKey(user: "alice")) }
        let first = try #require(try await store.keys().first)
        #expect(try await store.revokeKeys(.id(first.id)).map(\.id) == [first.id])
        #expect(try await store.revokeKeys(.key(keys[1])).count == 1)
        #expect(try await store.users().first?.activeKeys == 2)
        #expect(try await store.revokeKeys(.user("alice")).count == 2)
        #expect(try await store.keys().allSatisfy { $0.revoked == 1_700_000_000 })
        for key in keys {
            await #expect(throws: FeedError.self) { try await accounts.authenticate(key: key) }
        }
    }

    @Test(arguments: [KeySelection.id(99), .key(Secret("nothing")), .user("alice"), .user("nobody"), .id(1)])
    func nothingToRevoke(_ selection: KeySelection) async throws {
        _ = try await store.issueKey(user: "alice")
        _ = try await store.revokeKeys(.id(1))
        await #expect(throws: AccountStoreError.self) { try await store.revokeKeys(selection) }
    }

    @Test func keyMadeElsewhere() async throws {
        let key = Secret(String(repeating: "demo", count: 8))
        let record = try await store.insertKey(key, user: "alice")
        #expect(try await accounts.authenticate(key: key).keyID == record.id)
        await #expect(throws: AccountStoreError.self) { try await store.insertKey(key, user: "alice") }
        await #expect(throws: AccountStoreError.self) { try await store.insertKey(Secret("short"), user: "alice") }
    }

    @Test func listedForOneUser() async throws {
        try await store.addUser("bob", broker: "binance")
        _ = try await store.issueKey(user: "alice")
        _ = try await store.issueKey(user: "bob")
        #expect(try await store.keys(user: "bob").map(\.user) == ["bob"])
        #expect(try await store.keys().map(\.user) == ["alice", "bob"])
        await #expect(throws: AccountStoreError.self) { try await store.keys(user: "nobody") }
    }
}
