import Logging
import MarketData
import Synchronization

/// Users of whom OpenAlgo has said that their tokens have changed (`CACHE_INVALIDATE_*` on the bus). Whoever reaches the bus
/// can say so, for any name and as often as they like: a user waits once, and the log says a bounded number of lines.
package final class Invalidations: Sendable {
    /// Users that wait; of more the host looks at all it has, without their names.
    package static let most = 1_000

    /// One for each time that somebody waits. One reader, which then takes them all.
    package let signals: AsyncStream<Void>

    private struct State {
        var users: Set<String> = []
        var lines = LogBudget()
    }

    private let state = Mutex(State())
    private let signal: AsyncStream<Void>.Continuation
    private let logger: Logger

    package init(_ logger: Logger) {
        self.logger = logger
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Any thread; never blocks for long.
    package func tell(_ user: String, now: UInt64 = Uptime.now()) {
        let suppressed: Int? = state.withLock { state in
            guard state.users.count < Self.most, state.users.insert(user).inserted else { return nil }
            return state.lines.take(now: now)
        }
        if let suppressed {
            let others = LogBudget.remark(suppressed)
            logger.info("OpenAlgo says that the tokens of \(user) have changed\(others)")
        }
        signal.yield()
    }

    /// Who waits. Whoever is told from now on waits again.
    package func take() -> Set<String> {
        state.withLock { state in
            defer { state.users = [] }
            return state.users
        }
    }

    /// Looks at the accounts and tells the sessions, until the task ends. One look serves all who were named while the one before
    /// was under way.
    /// - Parameter look: Looks at the accounts: what was written before it is called is known when it returns.
    package func run(look: () async -> Void, changed: (_ user: String) async -> Void) async {
        for await _ in signals {
            let users = take()
            await look()
            for user in users { await changed(user) }
        }
    }
}
