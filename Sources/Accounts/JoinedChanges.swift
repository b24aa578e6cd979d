import MarketData

/// The changes of a store whose users another authenticator lets in, with that one's own, as one stream.
///
/// What the store says of keys is left out, since its keys let nobody in any more, as is what it says of users' brokers, which
/// are the authenticator's affair too.
public struct JoinedChanges: Sendable {
    public let changes: AsyncStream<AccountChange>

    private let continuation: AsyncStream<AccountChange>.Continuation
    private let store: AsyncStream<AccountChange>
    private let authenticator: AsyncStream<AccountChange>

    public init(store: AsyncStream<AccountChange>, authenticator: AsyncStream<AccountChange>) {
        (changes, continuation) = AsyncStream.makeStream()
        self.store = store
        self.authenticator = authenticator
    }

    /// Passes changes on until the task is cancelled or both streams have ended; then ``changes`` ends. To be called once.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await change in store where Self.counts(change) { continuation.yield(change) } }
            group.addTask { for await change in authenticator { continuation.yield(change) } }
        }
        continuation.finish()
    }

    private static func counts(_ change: AccountChange) -> Bool {
        switch change.kind {
        case .userChanged, .credentialsChanged, .credentialsRevoked: true
        case .keyRevoked, .keyChanged, .brokersChanged: false
        }
    }
}
