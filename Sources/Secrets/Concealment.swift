import Synchronization

/// What a plugin was lent and nobody may read in what it says: the values of now, and those before, which it may repeat long
/// after they have changed.
///
/// One for each session, shared by its connections, one for each provider of accounts, one for each instrument master; and
/// behind them one for the whole adapter, which may have kept in its memory what it was lent elsewhere.
package final class Concealment: Sendable {
    /// The last ones that came, each once.
    private struct Recent {
        let capacity: Int
        private(set) var secrets: [Secret] = []

        init(_ capacity: Int) { self.capacity = capacity }

        /// - Returns: What is new, and whether others had to go for it.
        mutating func add(_ more: [Secret]) -> (fresh: Set<Secret>, isFull: Bool) {
            let fresh = Set(more).subtracting(secrets)
            let again = Set(more).subtracting(fresh)
            if !again.isEmpty { secrets.removeAll(where: again.contains) }
            secrets += again.union(fresh)
            guard secrets.count > capacity else { return (fresh, false) }
            // Many at once, as all forms have to be found anew.
            secrets.removeFirst(secrets.count - capacity * 3 / 4)
            return (fresh, true)
        }
    }

    private struct State {
        var values: Recent
        var keys = Recent(64)
        /// Keys in calls that have not come back.
        var held: [Secret] = []
        /// Of the values; nil: to be made when the next text comes.
        var redaction: Redaction?
        /// Of the keys.
        var keyRedaction: Redaction?
    }

    private let shared: Concealment?
    private let shortest: Int
    private let state: Mutex<State>

    /// For one session, provider or master.
    /// - Parameter shared: The adapter's.
    package init(shared: Concealment? = nil) {
        self.shared = shared
        shortest = Redaction.shortest
        // A session has a handful a day: more than a month of them.
        state = Mutex(State(values: Recent(256)))
    }

    /// For a whole adapter, with all its users. Short secrets are left: what is taken out of a message shows a client which
    /// of its guesses was another user's.
    package static func ofAdapter() -> Concealment { Concealment(shortest: 12, capacity: 4_096) }

    private init(shortest: Int, capacity: Int) {
        shared = nil
        self.shortest = shortest
        state = Mutex(State(values: Recent(capacity)))
    }

    /// All but the user's own name.
    package func add(credentials: [String: Secret]) { add(credentials.filter { $0.key != "user_id" }.map(\.value)) }

    package func add(_ secrets: [Secret]) {
        state.withLock { state in
            let (fresh, isFull) = state.values.add(secrets)
            if isFull { state.redaction = nil } else { for secret in fresh { state.redaction?.insert(secret) } }
        }
        shared?.add(secrets)
    }

    /// Hides a client's key during a call, and for a while after it. However many others are asked about meanwhile, this
    /// one is not forgotten before the call is over.
    package func holding<R>(key: Secret, _ body: () -> R) -> R {
        state.withLock {
            $0.held.append(key)
            $0.keyRedaction = nil
        }
        defer {
            state.withLock { state in
                if let index = state.held.firstIndex(of: key) { state.held.remove(at: index) }
                _ = state.keys.add([key])
                state.keyRedaction = nil
            }
        }
        return shared.map { $0.holding(key: key, body) } ?? body()
    }

    /// Takes everything out that has been added until now.
    package var redaction: Redaction {
        let own = state.withLock { state in
            let values = state.redaction ?? Redaction(state.values.secrets, shortest: shortest)
            state.redaction = values
            guard !state.held.isEmpty || !state.keys.secrets.isEmpty else { return values }
            let keys = state.keyRedaction ?? Redaction(state.keys.secrets + state.held)
            state.keyRedaction = keys
            return values.joined(with: keys)
        }
        return shared.map { own.joined(with: $0.redaction) } ?? own
    }
}
