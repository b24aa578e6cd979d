import Foundation
import GRDB
import Logging
import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

/// `other` stands for another process: it has connections of its own.
struct WatcherTests {
    let folder: TemporaryFolder
    let store: AccountStore
    let other: AccountStore
    let key: Secret
    init() async throws {
        folder = try TemporaryFolder()
        store = try folder.store()
        other = try folder.store()
        try await other.addUser("alice", broker: "simulator")
        try await other.addUser("bob", broker: "simulator")
        key = try await other.issueKey(user: "alice")
    }

    private func watcher() throws -> StoreWatcher { try StoreWatcher(store: store, logger: Logger(label: "test")) }

    /// What the watcher says in one look, in order.
    private func seen(_ watcher: StoreWatcher) async -> [AccountChange.Kind] {
        await watcher.look()
        await watcher.stop()
        var kinds: [AccountChange.Kind] = []
        for await change in watcher.changes { kinds.append(change.kind) }
        return kinds
    }

    @Test func nothingHappened() async throws {
        #expect(await seen(try watcher()).isEmpty)
    }

    @Test func newUsersAndKeysAreNoNews() async throws {
        let watcher = try watcher()
        try await other.addUser("carol", broker: "simulator")
        _ = try await other.issueKey(user: "carol")
        #expect(await seen(watcher).isEmpty)
    }

    @Test func keyIssuedAndChangedBetweenTwoLooks() async throws {
        let watcher = try watcher()
        let brief = try await other.issueKey(user: "alice")
        let id = try await SQLiteAccounts(store: other).authenticate(key: brief).keyID
        _ = try await other.changeKey(id) { $0.permissions.orders = false }
        #expect(await seen(watcher) == [.keyChanged(keyID: id)])
    }

    @Test func revokedKey() async throws {
        let watcher = try watcher()
        let id = try #require(try await other.revokeKeys(.key(key)).first).id
        #expect(await seen(watcher) == [.keyRevoked(keyID: id)])
    }

    @Test func keyIssuedAndRevokedBetweenTwoLooks() async throws {
        let watcher = try watcher()
        let brief = try await other.issueKey(user: "alice")
        let id = try #require(try await other.revokeKeys(.key(brief)).first).id
        #expect(await seen(watcher) == [.keyRevoked(keyID: id)])
    }

    @Test func movedAndRemovedUsers() async throws {
        let watcher = try watcher()
        try await other.moveUser("bob", to: "binance")
        try await other.removeUser("alice")
        // Before the key that goes with its user: clients are closed with what is said first.
        #expect(await seen(watcher) == [.userChanged(user: "alice"), .userChanged(user: "bob"), .keyRevoked(keyID: 1)])
    }

    /// Nobody else would tell its session, which some brokers' adapters keep for ever.
    @Test func credentialsGoWithTheirUser() async throws {
        try await other.setCredentials(user: "bob", broker: "simulator", ["token": Secret("1")])
        let watcher = try watcher()
        try await other.removeUser("bob")
        #expect(
            await seen(watcher) == [
                .userChanged(user: "bob"), .credentialsRevoked(user: "bob", broker: "simulator"),
            ])
    }

    @Test func sameNameIsNotTheSameUser() async throws {
        let watcher = try watcher()
        try await other.removeUser("bob")
        try await other.addUser("bob", broker: "simulator")
        #expect(await seen(watcher) == [.userChanged(user: "bob")])
    }

    @Test func credentialsSetAndRemoved() async throws {
        try await other.setCredentials(user: "bob", broker: "simulator", ["token": Secret("1")])
        let watcher = try watcher()
        try await other.setCredentials(user: "alice", broker: "simulator", ["token": Secret("1")])
        try await other.removeCredentials(user: "bob", broker: "simulator")
        #expect(
            await seen(watcher) == [
                .credentialsChanged(user: "alice", broker: "simulator"),
                .credentialsRevoked(user: "bob", broker: "simulator"),
            ])
    }

    @Test func brokersThatAUserCanChooseFrom() async throws {
        let watcher = try watcher()
        // bob is on the simulator: credentials there are no further broker.
        try await other.setCredentials(user: "bob", broker: "simulator", ["token": Secret("1")])
        try await other.setCredentials(user: "bob", broker: "angel", ["token": Secret("1")])
        #expect(
            await seen(watcher) == [
                .brokersChanged(user: "bob", brokers: ["simulator", "angel"]),
                .credentialsChanged(user: "bob", broker: "angel"),
                .credentialsChanged(user: "bob", broker: "simulator"),
            ])
        let later = try self.watcher()
        try await other.setCredentials(user: "bob", broker: "angel", ["token": Secret("2")])
        try await other.removeCredentials(user: "bob", broker: "simulator")
        #expect(
            await seen(later) == [
                .credentialsChanged(user: "bob", broker: "angel"),
                .credentialsRevoked(user: "bob", broker: "simulator"),
            ])
    }

    /// Between two looks: somebody may have come in before the credentials were there.
    @Test func userAddedAndGivenAnotherBrokerBetweenTwoLooks() async throws {
        let watcher = try watcher()
        try await other.addUser("carol", broker: "simulator")
        try await other.addUser("dora", broker: "simulator")
        try await other.setCredentials(user: "carol", broker: "simulator", ["token": Secret("1")])
        try await other.setCredentials(user: "dora", broker: "angel", ["token": Secret("1")])
        #expect(
            await seen(watcher) == [
                .brokersChanged(user: "dora", brokers: ["simulator", "angel"]),
                .credentialsChanged(user: "carol", broker: "simulator"),
                .credentialsChanged(user: "dora", broker: "angel"),
            ])
    }

    @Test func changedKey() async throws {
        let watcher = try watcher()
        try await other.changeKey(1) { $0.expires = 1_800_000_000 }
        #expect(await seen(watcher) == [.keyChanged(keyID: 1)])
    }

    @Test func keyChangedAndRevokedIsRevoked() async throws {
        let watcher = try watcher()
        try await other.changeKey(1) { $0.permissions.orders = false }
        _ = try await other.revokeKeys(.id(1))
        #expect(await seen(watcher) == [.keyRevoked(keyID: 1)])
    }

    @Test func usedKeyIsNoNews() async throws {
        let watcher = try watcher()
        _ = try await SQLiteAccounts(store: other).authenticate(key: key)
        await other.flushUses()
        #expect(try await store.keys().first?.lastUsed == 1_700_000_000)
        #expect(await seen(watcher).isEmpty)
    }

    @Test func lostMasterKeyIsSaidOnceAndItsReturnConnectsAnew() async throws {
        try await other.setCredentials(user: "alice", broker: "simulator", ["token": Secret("1")])
        let watcher = try watcher()
        await watcher.look()
        #expect(await watcher.keyTrouble == nil)
        #expect(rename(store.path + ".key", folder.file("away")) == 0)
        for _ in 0..<3 { await watcher.look() }
        #expect(await watcher.keyTrouble?.contains(store.path + ".key") == true)
        #expect(await watcher.trouble == nil, "users can come in without")
        #expect(rename(folder.file("away"), store.path + ".key") == 0)
        #expect(await seen(watcher) == [.credentialsChanged(user: "alice", broker: "simulator")])
        #expect(await watcher.keyTrouble == nil)
    }

    @Test func rotatedMasterKeyIsNoNews() async throws {
        try await other.setCredentials(user: "alice", broker: "simulator", ["token": Secret("1")])
        let watcher = try watcher()
        _ = try await other.rotateKey()
        #expect(await seen(watcher).isEmpty)
        #expect(await watcher.keyTrouble == nil)
        let found = try await SQLiteAccounts(store: store).credentials(user: "alice", broker: "simulator")
        #expect(found.values == ["token": Secret("1")])
    }

    @Test func ownWritesAreSeenToo() async throws {
        let watcher = try watcher()
        try await store.moveUser("bob", to: "binance")
        #expect(await seen(watcher) == [.userChanged(user: "bob")])
    }

    @Test func removedFileIsReportedOnceAndComesBack() async throws {
        let watcher = try watcher()
        try FileManager.default.moveItem(atPath: store.path, toPath: folder.file("away"))
        for _ in 0..<3 { await watcher.look() }
        #expect(await watcher.reports == 1)
        #expect(await watcher.trouble?.contains("gone") == true)
        // Going on with what was read.
        #expect(try await SQLiteAccounts(store: store).authenticate(key: key).user == "alice")
        try FileManager.default.moveItem(atPath: folder.file("away"), toPath: store.path)
        await watcher.look()
        #expect(await watcher.trouble == nil)
        try await other.moveUser("bob", to: "binance")
        #expect(await seen(watcher) == [.userChanged(user: "bob")])
    }

    @Test func replacedFileIsReadAnew() async throws {
        try other.close()
        let watcher = try watcher()
        let successor = try folder.store("new.db")
        try await successor.addUser("alice", broker: "simulator")
        let newKey = try await successor.issueKey(user: "alice")
        try successor.close()
        #expect(rename(folder.file("new.db"), store.path) == 0)
        #expect(
            await seen(watcher) == [.userChanged(user: "bob"), .keyRevoked(keyID: 1)],
            "key 1 is another one now; alice is the same user on the same broker")
        #expect(try await SQLiteAccounts(store: store).authenticate(key: newKey).user == "alice")
        await #expect(throws: FeedError.self) { try await SQLiteAccounts(store: store).authenticate(key: key) }
    }

    @Test func replacedByRubbishAndMended() async throws {
        try other.close()
        let watcher = try watcher()
        let good = try Data(contentsOf: URL(fileURLWithPath: store.path))
        try FileManager.default.removeItem(atPath: store.path)
        try Data(String(repeating: "rubbish ", count: 200).utf8).write(to: URL(fileURLWithPath: store.path))
        for _ in 0..<3 { await watcher.look() }
        #expect(await watcher.reports == 1)
        try FileManager.default.removeItem(atPath: store.path)
        try good.write(to: URL(fileURLWithPath: store.path))
        await watcher.look()
        #expect(await watcher.trouble == nil)
        #expect(try await SQLiteAccounts(store: store).authenticate(key: key).user == "alice")
    }

    @Test func aWriterInItsTransactionIsNobodysBusiness() async throws {
        try other.close()
        let watcher = try watcher()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let holder = try DatabaseQueue(path: store.path, configuration: configuration)
        try await holder.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN EXCLUSIVE; UPDATE users SET broker = 'binance' WHERE name = 'bob'")
        }
        for _ in 0..<6 { await watcher.look() }
        // Readers do not wait for a writer in WAL: nothing to report, nothing to see yet.
        #expect(await watcher.reports == 0)
        try await holder.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        #expect(await seen(watcher) == [.userChanged(user: "bob")])
    }

    @Test func shortLockIsNobodysBusinessALongOneIsReportedOnce() async throws {
        let watcher = try watcher()
        let busy = DatabaseError(resultCode: .SQLITE_BUSY)
        for _ in 0..<3 { await watcher.failed(busy) }
        #expect(await watcher.reports == 0)
        for _ in 0..<5 { await watcher.failed(busy) }
        #expect(await watcher.reports == 1)
        #expect(await watcher.trouble?.contains("locked") == true)
        try await other.moveUser("bob", to: "binance")
        #expect(await seen(watcher) == [.userChanged(user: "bob")])
        #expect(await watcher.trouble == nil)
    }

    @Test func runLooksAtEveryTickAndEndsWhenCancelled() async throws {
        let watcher = try watcher()
        let clock = TickedClock()
        let running = Task { await watcher.run(every: .milliseconds(500), clock: clock) }
        await clock.waitUntilSlept()
        try await other.moveUser("bob", to: "binance")
        clock.tick()
        var changes = watcher.changes.makeAsyncIterator()
        #expect(await changes.next() == AccountChange(.userChanged(user: "bob")))
        running.cancel()
        await running.value
        #expect(await changes.next() == nil)
    }
}
