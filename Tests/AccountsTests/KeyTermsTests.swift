import Foundation
import GRDB
import MarketData
import Secrets
import Synchronization
import TestSupport
import Testing

@testable import Accounts

struct KeyTermsTests {
    let folder: TemporaryFolder
    let store: AccountStore
    let accounts: SQLiteAccounts
    /// Seconds since 1970; tests move it.
    final class Time: Sendable {
        let seconds = Mutex<Int64>(1_700_000_000)
        func pass(_ more: Int64) { seconds.withLock { $0 += more } }
    }
    let time = Time()

    init() async throws {
        folder = try TemporaryFolder()
        store = try AccountStore(path: folder.file("store.db"), create: true) { [time] in time.seconds.withLock { $0 } }
        accounts = SQLiteAccounts(store: store)
        try await store.addUser("alice", broker: "zerodha")
    }

    private func failure(_ body: () async throws -> Void) async -> AccountStoreError? {
        do { try await body() } catch { return error as? AccountStoreError }
        return nil
    }

    @Test func expiresAtItsSecond() async throws {
        let key = try await store.issueKey(user: "alice", terms: KeyTerms(expires: 1_700_000_060))
        #expect(try await accounts.authenticate(key: key).expires == 1_700_000_060_000)
        time.pass(59)
        #expect(try await accounts.authenticate(key: key).user == "alice")
        #expect(try await store.users().first?.activeKeys == 1)
        time.pass(1)
        await #expect(throws: FeedError(.authentication, "API key expired")) {
            try await accounts.authenticate(key: key)
        }
        #expect(try await store.users().first?.activeKeys == 0)
        await #expect(throws: FeedError(.authentication, "Invalid API key")) {
            try await accounts.authenticate(key: Secret(key.revealed + "x"))
        }
        try await store.changeKey(1) { $0.expires = nil }
        #expect(try await accounts.authenticate(key: key).expires == nil)
    }

    @Test func revokedAndExpiredIsInvalid() async throws {
        let key = try await store.issueKey(user: "alice", terms: KeyTerms(expires: 1_700_000_060))
        _ = try await store.revokeKeys(.key(key))
        time.pass(100)
        await #expect(throws: FeedError(.authentication, "Invalid API key")) {
            try await accounts.authenticate(key: key)
        }
    }

    @Test func accountHoldsAllThatTheKeyMay() async throws {
        let permissions = Permissions(
            brokers: ["zerodha"], exchanges: ["NSE", "NFO"], symbols: ["NIFTY*", "ALAN SCOTT", "币*"],
            modes: [.ltp, .depth],
            orders: false, maxInstruments: 50)
        let key = try await store.issueKey(user: "alice", name: "limited", terms: KeyTerms(permissions: permissions))
        try await store.setCredentials(user: "alice", broker: "angel", ["token": Secret("t")])
        let account = try await accounts.authenticate(key: key)
        #expect(account.permissions == permissions)
        #expect(account.brokers == ["zerodha", "angel"])
        #expect(account.broker == "zerodha")
        #expect(try await store.keys().first?.permissions == permissions)
        let changed = try await store.changeKey(1) { $0.permissions.symbols = nil }
        #expect(changed.permissions?.symbols == nil && changed.permissions?.exchanges == ["NSE", "NFO"])
        #expect(try await accounts.authenticate(key: key).permissions.symbols == nil)
        #expect(try await store.users().first?.credentialBrokers == ["angel"])
    }

    @Test(arguments: [
        Permissions(brokers: []), Permissions(brokers: ["Zerodha"]), Permissions(exchanges: ["nse"]),
        Permissions(exchanges: [""]), Permissions(exchanges: Set((0...100).map { "X\($0)" })),
        Permissions(symbols: []), Permissions(symbols: [""]), Permissions(symbols: [" NIFTY"]),
        Permissions(symbols: ["NIFTY "]), Permissions(symbols: ["NIFTY\u{200B}BANK"]),
        Permissions(symbols: ["NSE:RELIANCE"]), Permissions(symbols: [String(repeating: "x", count: 97)]),
        Permissions(symbols: Array(repeating: "*", count: 101)), Permissions(symbols: ["a\u{1B}[31m"]),
        Permissions(modes: []), Permissions(maxInstruments: 0), Permissions(maxInstruments: 1_000_001),
    ])
    func wrongPermissions(_ permissions: Permissions) async throws {
        let terms = KeyTerms(permissions: permissions)
        #expect(await failure { _ = try await store.issueKey(user: "alice", terms: terms) }?.code == .invalidValue)
        _ = try await store.issueKey(user: "alice")
        let change = await failure { try await store.changeKey(1) { $0.permissions = permissions } }
        #expect(change?.code == .invalidValue)
        #expect(try await store.keys().map(\.permissions) == [.everything])
    }

    @Test func lowercaseExchangeIsHelped() async {
        let terms = KeyTerms(permissions: Permissions(exchanges: ["nse_index"]))
        let error = await failure { _ = try await store.issueKey(user: "alice", terms: terms) }
        #expect(error?.description.contains("Did you mean NSE_INDEX?") == true)
    }

    @Test func wrongExpiryAndLabels() async throws {
        for expires in [1_700_000_000, 5, -1] as [Int64] {
            let error = await failure {
                _ = try await store.issueKey(user: "alice", terms: KeyTerms(expires: expires))
            }
            #expect(error?.code == .invalidValue)
        }
        for label in ["", " ", "a  b", "a\tb", "\u{1B}", String(repeating: "x", count: 65)] {
            #expect(await failure { _ = try await store.issueKey(user: "alice", name: label) }?.code == .invalidValue)
        }
        _ = try await store.issueKey(user: "alice", name: "the old laptop")
    }

    @Test func labelsAreTakenAsLongAsTheirKeyIsGood() async throws {
        try await store.addUser("bob", broker: "angel")
        _ = try await store.issueKey(user: "alice", name: "laptop", terms: KeyTerms(expires: 1_700_000_060))
        _ = try await store.issueKey(user: "bob", name: "laptop")
        let taken = await failure { _ = try await store.issueKey(user: "alice", name: "laptop") }
        #expect(taken?.code == .duplicateLabel)
        #expect(taken?.description.contains("Key 1") == true)
        time.pass(60)
        _ = try await store.issueKey(user: "alice", name: "laptop")
        #expect(await failure { try await store.changeKey(1) { $0.expires = nil } }?.code == .duplicateLabel)
        _ = try await store.revokeKeys(.id(3))
        try await store.changeKey(1) { $0.expires = nil }
    }

    @Test func revokedAndUnknownKeysCannotBeChanged() async throws {
        _ = try await store.issueKey(user: "alice")
        _ = try await store.revokeKeys(.id(1))
        for id in [1, 2, -1] as [Int64] {
            #expect(await failure { try await store.changeKey(id) { $0.expires = nil } }?.code == .unknownKey)
        }
    }

    @Test(arguments: [
        "", "x", "[]", "null", #"{"modes":["ticks"]}"#, #"{"modes":"ltp"}"#, #"{"hours":"9-15"}"#,
        #"{"symbols":null}"#, #"{"orders":"no"}"#,
    ])
    func whatIsNotUnderstoodAllowsNothing(_ text: String) async throws {
        let key = try await store.issueKey(user: "alice")
        try await store.write { try $0.execute(sql: "UPDATE api_keys SET permissions = ?", arguments: [text]) }
        await #expect(throws: FeedError(.server, "What this API key allows cannot be read")) {
            try await accounts.authenticate(key: key)
        }
        #expect(try await store.keys().first?.permissions == nil)
        #expect(await failure { try await store.changeKey(1) { $0.expires = nil } }?.code == .invalidValue)
    }

    @Test func fullKeysStoreNothing() throws {
        #expect(try StoredPermissions.text(.everything) == nil)
        #expect(try StoredPermissions.text(Permissions(orders: false)) == #"{"orders":false}"#)
        #expect(StoredPermissions.read(#"{"orders":false}"#) == Permissions(orders: false))
    }

    // MARK: Last use

    private func lastUse() async throws -> Int64? {
        await store.flushUses()
        return try await store.keys().first?.lastUsed
    }

    @Test func lastUseIsWrittenOnceAMinute() async throws {
        let key = try await store.issueKey(user: "alice")
        #expect(try await lastUse() == nil)
        _ = try await accounts.authenticate(key: key)
        #expect(try await lastUse() == 1_700_000_000)
        time.pass(59)
        _ = try await accounts.authenticate(key: key)
        #expect(try await lastUse() == 1_700_000_000)
        time.pass(1)
        _ = try await accounts.authenticate(key: key)
        #expect(try await lastUse() == 1_700_000_060)
        time.pass(60)
        await #expect(throws: FeedError.self) { try await accounts.authenticate(key: Secret("wrong")) }
        #expect(try await lastUse() == 1_700_000_060)
    }

    @Test func closingWritesWhatWaits() async throws {
        let key = try await store.issueKey(user: "alice")
        _ = try await accounts.authenticate(key: key)
        try store.close()
        #expect(try await folder.store().keys().first?.lastUsed == 1_700_000_000)
    }

    @Test func lockedStoreKeepsNobodyOutAndIsWrittenLater() async throws {
        let key = try await store.issueKey(user: "alice")
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let holder = try DatabaseQueue(path: store.path, configuration: configuration)
        try await holder.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        _ = try await accounts.authenticate(key: key)
        #expect(try await lastUse() == nil)
        try await holder.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        #expect(try await lastUse() == 1_700_000_000)
    }

    @Test func fileThatIsAwayIsLeftAlone() async throws {
        let key = try await store.issueKey(user: "alice")
        #expect(rename(store.path, folder.file("away")) == 0)
        #expect(try await accounts.authenticate(key: key).user == "alice")
        await store.flushUses()
        #expect(try await folder.store("away").keys().first?.lastUsed == nil)
        #expect(!FileManager.default.fileExists(atPath: store.path), "it is not made anew")
    }
}
