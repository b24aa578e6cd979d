import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

struct CredentialTests {
    let folder: TemporaryFolder
    let store: AccountStore
    init() async throws {
        folder = try TemporaryFolder()
        store = try folder.store()
        try await store.addUser("alice", broker: "zerodha")
        try await store.addUser("bob", broker: "zerodha")
    }

    @Test func merged() async throws {
        try await store.setCredentials(
            user: "alice", broker: "zerodha", ["api_key": Secret("k"), "token": Secret("t")])
        let names = try await store.setCredentials(
            user: "alice", broker: "zerodha", ["token": Secret(""), "pin": Secret("1")])
        #expect(names == ["api_key", "pin"])
        let found = try await store.credentials(user: "alice", broker: "zerodha")
        #expect(found.values == ["api_key": Secret("k"), "pin": Secret("1")])
        #expect(try await store.credentials(user: "bob", broker: "zerodha") == BrokerCredentials())
        #expect(try await store.credentials(user: "alice", broker: "dhan") == BrokerCredentials())
    }

    @Test func versionRisesOnlyWithChangesAndNeverFalls() async throws {
        func version() async throws -> UInt64 { try await store.credentials(user: "alice", broker: "zerodha").version }
        try await store.setCredentials(user: "alice", broker: "zerodha", ["token": Secret("1")])
        let first = try await version()
        try await store.setCredentials(user: "alice", broker: "zerodha", ["token": Secret("1")])
        #expect(try await version() == first)
        #expect(try await store.removeCredentials(user: "alice", broker: "zerodha") == ["token"])
        #expect(try await version() == 0)
        try await store.setCredentials(user: "alice", broker: "zerodha", ["token": Secret("1")])
        #expect(try await version() > first)
    }

    @Test func listShowsNamesOnly() async throws {
        try await store.setCredentials(user: "alice", broker: "zerodha", ["token": Secret("hunter2")])
        let records = try await store.credentialRecords()
        #expect(records.map(\.names) == [["token"]])
        #expect(!"\(records)".contains("hunter2"))
    }

    @Test func defaultsFillWhatTheUserHasNot() async throws {
        let accounts = SQLiteAccounts(store: store, defaults: ["api_key": Secret("env"), "api_secret": Secret("")])
        try await store.setCredentials(user: "alice", broker: "zerodha", ["api_key": Secret("own")])
        #expect(try await accounts.credentials(user: "alice", broker: "zerodha").values == ["api_key": Secret("own")])
        #expect(
            try await accounts.credentials(user: "bob", broker: "zerodha")
                == BrokerCredentials(version: 0, values: ["api_key": Secret("env")]))
    }

    @Test func wrongNamesAndUsers() async {
        await #expect(throws: AccountStoreError.self) {
            try await store.setCredentials(user: "alice", broker: "zerodha", ["Api Key": Secret("x")])
        }
        await #expect(throws: AccountStoreError.self) {
            try await store.setCredentials(user: "nobody", broker: "zerodha", ["api_key": Secret("x")])
        }
        await #expect(throws: AccountStoreError.self) {
            try await store.setCredentials(user: "alice", broker: "Zerodha!", ["api_key": Secret("x")])
        }
    }
}
