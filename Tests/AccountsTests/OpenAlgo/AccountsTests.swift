import GRDB
import Logging
import MarketData
import Secrets
import Testing

@testable import Accounts

struct OpenAlgoAccountsTests {
    let openAlgo: Installation
    init() throws {
        openAlgo = try Installation()
        try openAlgo.setKey("alice", "key-of-alice")
        try openAlgo.login("alice", "zerodha", token: "app:token-1", feed: "feed-1")
    }

    private static func code(_ accounts: OpenAlgoAccounts, _ key: String) async -> FeedError? {
        do {
            _ = try await accounts.authenticate(key: Secret(key))
            return nil
        } catch {
            return error as? FeedError
        }
    }

    /// What is told in one look, in order.
    private func seen(_ accounts: OpenAlgoAccounts) async -> [AccountChange.Kind] {
        await accounts.look()
        await accounts.stop()
        var kinds: [AccountChange.Kind] = []
        for await change in accounts.changes { kinds.append(change.kind) }
        return kinds
    }

    // MARK: Keys

    @Test func keyOfAUser() async throws {
        let account = try await openAlgo.accounts().authenticate(key: Secret("key-of-alice"))
        #expect(account.user == "alice" && account.broker == "zerodha")
    }

    @Test func wrongKeys() async throws {
        let accounts = try await openAlgo.accounts()
        for key in ["", "key-of-alicf", "key-of-alice ", "KEY-OF-ALICE", String(repeating: "a", count: 64)] {
            #expect(await Self.code(accounts, key) == FeedError(.authentication, "Invalid API key"))
        }
    }

    @Test func keyMadeAMomentAgoIsGood() async throws {
        let accounts = try await openAlgo.accounts()
        try openAlgo.login("bob_k", "angel", token: "token")
        #expect(await Self.code(accounts, "key-of-bob")?.code == .authentication)
        try openAlgo.setKey("bob_k", "key-of-bob")
        #expect(try await accounts.authenticate(key: Secret("key-of-bob")).user == "bob_k")
    }

    /// OpenAlgo writes the new key into the old one's row. The number must be another: the host remembers revoked ones.
    @Test func rotatedKey() async throws {
        let accounts = try await openAlgo.accounts()
        let before = try await accounts.authenticate(key: Secret("key-of-alice"))
        try openAlgo.setKey("alice", "new-key-of-alice")
        #expect(await Self.code(accounts, "key-of-alice")?.code == .authentication)
        let after = try await accounts.authenticate(key: Secret("new-key-of-alice"))
        #expect(after.keyID != before.keyID)
        #expect(await seen(accounts) == [.keyRevoked(keyID: before.keyID)])
    }

    /// Its clients are told that it is the user who is gone, not the key.
    @Test func removedUser() async throws {
        let accounts = try await openAlgo.accounts()
        let id = try await accounts.authenticate(key: Secret("key-of-alice")).keyID
        try openAlgo.execute("DELETE FROM api_keys; DELETE FROM auth")
        #expect(
            await seen(accounts) == [
                .userChanged(user: "alice"), .keyRevoked(keyID: id),
                .credentialsChanged(user: "alice", broker: "zerodha"),
            ])
    }

    /// Who is logged out at the broker is no stranger.
    @Test func ownerOfAKey() async throws {
        let accounts = try await openAlgo.accounts()
        let id = try await accounts.authenticate(key: Secret("key-of-alice")).keyID
        try openAlgo.logout("alice")
        #expect(await Self.code(accounts, "key-of-alice")?.code == .broker)
        #expect(await accounts.owner(of: Secret("key-of-alice")) == KeyOwner(user: "alice", keyID: id))
        #expect(await accounts.owner(of: Secret("key-of-bob")) == nil)
    }

    /// A database that is locked costs a second a look: whoever comes meanwhile shares the next one.
    @Test func aThousandKeysAtOnceShareTheirLooks() async throws {
        let accounts = try await openAlgo.accounts()
        let before = await accounts.looks
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<1000 { group.addTask { _ = try? await accounts.authenticate(key: Secret("key-of-alice")) } }
        }
        #expect(await accounts.looks - before < 500)
    }

    @Test func removedKeyAndOneThatComesBack() async throws {
        let accounts = try await openAlgo.accounts()
        let id = try await accounts.authenticate(key: Secret("key-of-alice")).keyID
        let row = try #require(try openAlgo.row("api_keys"))
        try openAlgo.execute("DELETE FROM api_keys")
        #expect(await Self.code(accounts, "key-of-alice")?.code == .authentication)
        try openAlgo.setKey(
            "alice", "", encrypted: row["api_key_encrypted"], hash: row["api_key_hash"])
        #expect(try await accounts.authenticate(key: Secret("key-of-alice")).keyID != id)
        #expect(await seen(accounts) == [.keyRevoked(keyID: id)])
    }

    // MARK: Hashes

    @Test func keyWhoseCopyCannotBeReadIsCheckedByItsHash() async throws {
        try openAlgo.setKey("alice", "", encrypted: "gAAAA-of-another-key", hash: Installation.hash("slow-key"))
        let accounts = try await openAlgo.accounts()
        #expect(await accounts.inventory().hashedKeys == 1)
        let first = try await accounts.authenticate(key: Secret("slow-key"))
        #expect(first.user == "alice")
        #expect(try await accounts.authenticate(key: Secret("slow-key")) == first)
        #expect(await Self.code(accounts, "slow-kez")?.code == .authentication)
        // Remembered outcomes do not outlive the row.
        try openAlgo.setKey("alice", "", encrypted: "gAAAA-of-another-key", hash: Installation.hash("newer-key"))
        #expect(await Self.code(accounts, "slow-key")?.code == .authentication)
        #expect(try await accounts.authenticate(key: Secret("newer-key")).user == "alice")
    }

    /// With OpenAlgo's figures a hash takes 150 ms: a flood of wrong keys must not pile up.
    @Test func floodOfKeysToHashIsTurnedAway() async throws {
        let slow = "$argon2id$v=19$m=65536,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
        try openAlgo.setKey("alice", "", encrypted: "unreadable", hash: slow)
        let accounts = try await openAlgo.accounts()
        let codes = await withTaskGroup(of: FeedError.Code?.self) { group in
            for index in 0..<40 { group.addTask { await Self.code(accounts, "wrong \(index)")?.code } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.contains(.rateLimited))
        #expect(codes.allSatisfy { $0 == .rateLimited || $0 == .authentication })
    }

    /// After a restart all programs of a user come at once, with the key that they share.
    @Test func oneKeyIsHashedOnceHoweverManyShowIt() async throws {
        let hashes = HashedKeys(pepper: Secret(Installation.pepper))
        let rows = [Self.row(1, "slow-key"), Self.row(2, "other-key")]
        func find(_ key: String, _ rows: [OpenAlgoState.Key]) async throws -> Int64? {
            try await hashes.find(Secret(key), digest: KeyDigest.of(Secret(key)), among: rows)
        }
        let found = try await withThrowingTaskGroup(of: Int64?.self) { group in
            for _ in 0..<50 { group.addTask { try await find("other-key", rows) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(found == Array(repeating: 2, count: 50))
        #expect(await hashes.searches == 1)
        // Wrong ones, however many, do not make it forgotten; nor does a row that comes or goes.
        for index in 0..<1100 { #expect(try await find("wrong \(index)", [Self.quickRow(3)]) == nil) }
        let before = await hashes.searches
        #expect(try await find("other-key", [rows[1], Self.quickRow(9)]) == 2)
        #expect(await hashes.searches == before)
        #expect(try await find("other-key", [rows[0]]) == nil)
    }

    private static func row(_ id: Int64, _ key: String) -> OpenAlgoState.Key {
        .init(id: id, row: .init(row: id, user: "u\(id)", hash: Installation.hash(key), encrypted: ""), digest: nil)
    }

    /// Of which no key is good, and none takes time.
    private static func quickRow(_ id: Int64) -> OpenAlgoState.Key {
        .init(id: id, row: .init(row: id, user: "u\(id)", hash: "$argon2id$", encrypted: ""), digest: nil)
    }

    // MARK: Logins

    /// Samco's login has several steps, and is no login before the last one.
    @Test func aLoginThatIsUnderWayIsNone() async throws {
        try openAlgo.login("alice", "samco", token: "pending")
        let accounts = try await openAlgo.accounts()
        #expect(await Self.code(accounts, "key-of-alice")?.code == .broker)
        try openAlgo.login("alice", "samco", token: "a token")
        #expect(await Self.code(accounts, "key-of-alice") == nil)
    }

    @Test func credentialsOfALogin() async throws {
        try openAlgo.execute("UPDATE auth SET aux_param1 = 'plain', secret_api_key = '\(Installation.encrypt("deep"))'")
        let accounts = try await openAlgo.accounts(defaults: ["api_key": Secret("app"), "api_secret": Secret("")])
        let found = try await accounts.credentials(user: "alice", broker: "zerodha")
        #expect(
            found.values.mapValues(\.revealed) == [
                "access_token": "app:token-1", "feed_token": "feed-1", "user_id": "alice-at-broker", "api_key": "app",
                "aux_param1": "plain", "secret_api_key": "deep",
            ])
        #expect(try await accounts.credentials(user: "alice", broker: "angel").values.isEmpty)
        #expect(try await accounts.credentials(user: "nobody", broker: "zerodha").values.isEmpty)
    }

    /// Clients that showed their key too early can go on.
    @Test func firstLoginIsTold() async throws {
        try openAlgo.setKey("bob_k", "key-of-bob")
        let accounts = try await openAlgo.accounts()
        #expect(await Self.code(accounts, "key-of-bob")?.code == .broker)
        try openAlgo.login("bob_k", "angel", token: "token")
        #expect(await seen(accounts) == [.brokersChanged(user: "bob_k", brokers: ["angel"])])
        #expect(try await accounts.authenticate(key: Secret("key-of-bob")).broker == "angel")
    }

    @Test func newToken() async throws {
        let accounts = try await openAlgo.accounts()
        let before = try await accounts.credentials(user: "alice", broker: "zerodha")
        try openAlgo.login("alice", "zerodha", token: "app:token-2", feed: "feed-1")
        #expect(await seen(accounts) == [.credentialsChanged(user: "alice", broker: "zerodha")])
        let after = try await accounts.credentials(user: "alice", broker: "zerodha")
        #expect(after.values["access_token"] == Secret("app:token-2") && after.version > before.version)
    }

    /// Encrypted anew by a login from a second device, which must not tear the feed down.
    @Test func sameTokenAgainIsNoNews() async throws {
        let accounts = try await openAlgo.accounts()
        let before = try await accounts.credentials(user: "alice", broker: "zerodha")
        try openAlgo.login("alice", "zerodha", token: "app:token-1", feed: "feed-1")
        try openAlgo.execute("INSERT INTO login_attempts (username) VALUES ('alice')")
        #expect(await seen(accounts).isEmpty)
        #expect(try await accounts.credentials(user: "alice", broker: "zerodha") == before)
    }

    @Test func revokedAndLoggedInAgain() async throws {
        let accounts = try await openAlgo.accounts(defaults: ["api_key": Secret("app")])
        try openAlgo.logout("alice")
        await accounts.look()
        #expect(
            await Self.code(accounts, "key-of-alice") == FeedError(.broker, "No broker configuration found for user"))
        #expect(try await accounts.credentials(user: "alice", broker: "zerodha").values.isEmpty)
        try openAlgo.login("alice", "zerodha", token: "app:token-2")
        #expect(try await accounts.authenticate(key: Secret("key-of-alice")).broker == "zerodha")
        let change = AccountChange.Kind.credentialsChanged(user: "alice", broker: "zerodha")
        #expect(
            await seen(accounts) == [change, .brokersChanged(user: "alice", brokers: ["zerodha"]), change])
    }

    @Test func removedLoginAndAnotherBroker() async throws {
        let accounts = try await openAlgo.accounts()
        try openAlgo.execute("DELETE FROM auth")
        await accounts.look()
        #expect(await Self.code(accounts, "key-of-alice")?.code == .broker)
        try openAlgo.login("alice", "angel", token: "token")
        #expect(
            await seen(accounts) == [
                .credentialsChanged(user: "alice", broker: "zerodha"), .userChanged(user: "alice"),
            ])
        #expect(
            try await accounts.credentials(user: "alice", broker: "angel").values["access_token"] == Secret("token"))
    }

    @Test func movedToAnotherBroker() async throws {
        let accounts = try await openAlgo.accounts()
        try openAlgo.login("alice", "angel", token: "token")
        #expect(await seen(accounts) == [.userChanged(user: "alice")])
    }

    @Test(arguments: ["''", "'pending'", "'gAAAAABrBDxyOXVIEa998rBa8Oq9B'"])
    func tokensThatAreNone(written: String) async throws {
        let accounts = try await openAlgo.accounts()
        try openAlgo.execute("UPDATE auth SET auth = \(written)")
        #expect(await Self.code(accounts, "key-of-alice")?.code == .broker)
        #expect(await accounts.inventory().logins.map(\.state) == [.unreadable])
    }

    @Test func userWithoutLogin() async throws {
        try openAlgo.setKey("dave", "key-of-dave")
        #expect(await Self.code(try await openAlgo.accounts(), "key-of-dave")?.code == .broker)
    }
}
