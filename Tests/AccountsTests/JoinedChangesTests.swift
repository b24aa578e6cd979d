import MarketData
import Testing

@testable import Accounts

@Suite struct JoinedChangesTests {
    /// Every kind of change of the store, and of the authenticator: what comes through.
    @Test func keysOfTheStoreAreLeftOut() async {
        let kinds: [AccountChange.Kind] = [
            .keyRevoked(keyID: 1), .keyChanged(keyID: 2), .userChanged(user: "anna"),
            .brokersChanged(user: "anna", brokers: ["zerodha"]), .credentialsChanged(user: "anna", broker: "zerodha"),
            .credentialsRevoked(user: "anna", broker: "angel"),
        ]
        func stream(_ kinds: [AccountChange.Kind]) -> AsyncStream<AccountChange> {
            AsyncStream { continuation in
                for kind in kinds { continuation.yield(AccountChange(kind)) }
                continuation.finish()
            }
        }
        func through(store: [AccountChange.Kind], authenticator: [AccountChange.Kind]) async -> [String] {
            let joined = JoinedChanges(store: stream(store), authenticator: stream(authenticator))
            async let running: Void = joined.run()
            var seen: [String] = []
            for await change in joined.changes { seen.append("\(change.kind)") }
            await running
            return seen
        }
        #expect(await through(store: kinds, authenticator: []) == [kinds[2], kinds[4], kinds[5]].map { "\($0)" })
        #expect(await through(store: [], authenticator: kinds) == kinds.map { "\($0)" })
    }

    @Test func endsWithItsTask() async {
        let (store, _) = AsyncStream<AccountChange>.makeStream()
        let (authenticator, _) = AsyncStream<AccountChange>.makeStream()
        let joined = JoinedChanges(store: store, authenticator: authenticator)
        let task = Task { await joined.run() }
        task.cancel()
        for await _ in joined.changes {}
        await task.value
    }
}
