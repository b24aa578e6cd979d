import MarketData
import Secrets
import TestSupport
import Testing

@testable import Accounts

struct UserTests {
    let folder: TemporaryFolder
    let store: AccountStore
    init() throws {
        folder = try TemporaryFolder()
        store = try folder.store()
    }

    private func failure(_ body: () async throws -> Void) async -> AccountStoreError? {
        do { try await body() } catch { return error as? AccountStoreError }
        return nil
    }

    @Test func addedListedMovedRemoved() async throws {
        try await store.addUser("bob", broker: "binance")
        try await store.addUser("alice", broker: "simulator")
        #expect(try await store.users().map(\.name) == ["alice", "bob"])
        #expect(try await store.users().first?.created == 1_700_000_000)
        try await store.moveUser("bob", to: "simulator")
        #expect(try await store.users().map(\.broker) == ["simulator", "simulator"])
        try await store.removeUser("bob")
        #expect(try await store.users().map(\.name) == ["alice"])
    }

    @Test func whetherThereIsAUser() async throws {
        #expect(try await !store.hasUser("alice"))
        try await store.addUser("alice", broker: "simulator")
        #expect(try await store.hasUser("alice"))
        // Names are compared as they are.
        for other in ["Alice", "alic", "alice ", "", "ALICE"] { #expect(try await !store.hasUser(other), "\(other)") }
        try await store.removeUser("alice")
        #expect(try await !store.hasUser("alice"))
    }

    @Test func takenNameSaysWhatToDo() async throws {
        try await store.addUser("alice", broker: "simulator")
        let same = await failure { try await store.addUser("alice", broker: "simulator") }
        #expect(same?.code == .duplicateUser)
        #expect(same?.description == "User alice exists already and is on broker simulator.")
        let other = await failure { try await store.addUser("alice", broker: "binance") }
        #expect(other?.code == .duplicateUser)
        #expect(other?.description.contains("feedhost users move alice --broker binance") == true)
    }

    @Test func unknownUserIsNamed() async {
        #expect(await failure { try await store.removeUser("nobody") }?.code == .unknownUser)
        #expect(await failure { try await store.moveUser("nobody", to: "x") }?.code == .unknownUser)
        #expect(await failure { _ = try await store.issueKey(user: "nobody") }?.description.contains("nobody") == true)
    }

    @Test(arguments: [
        "", "two words", "tab\there", "\u{1B}[31m", "zero\u{200B}width", String(repeating: "x", count: 65),
    ])
    func wrongNames(_ name: String) async {
        #expect(await failure { try await store.addUser(name, broker: "simulator") }?.code == .invalidValue)
    }

    @Test(arguments: ["", "Zerodha", "zer odha", "zerodha-2", "zérodha"])
    func wrongBrokers(_ broker: String) async {
        #expect(await failure { try await store.addUser("alice", broker: broker) }?.code == .invalidValue)
    }

    @Test(arguments: ["a", "rajandran", "user@example.com", "जोशी", String(repeating: "x", count: 64)])
    func goodNames(_ name: String) async throws {
        try await store.addUser(name, broker: "five_paisa2")
        #expect(try await store.users().map(\.name) == [name])
    }

    @Test func nothingOfARemovedUserStays() async throws {
        try await store.addUser("alice", broker: "simulator")
        let key = try await store.issueKey(user: "alice")
        try await store.setCredentials(user: "alice", broker: "simulator", ["token": Secret("t")])
        try await store.removeUser("alice")
        try await store.addUser("alice", broker: "simulator")
        #expect(try await store.keys().isEmpty)
        #expect(try await store.credentials(user: "alice", broker: "simulator").values.isEmpty)
        await #expect(throws: FeedError(.authentication, "Invalid API key")) {
            try await SQLiteAccounts(store: store).authenticate(key: key)
        }
    }
}
