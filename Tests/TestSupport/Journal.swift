import Synchronization
import Testing

/// Entries in the order in which they came, from any thread, and tests that wait for some of them.
package final class Journal<Entry: Sendable>: Sendable {
    private struct Waiter {
        let isDone: @Sendable ([Entry]) -> Bool
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var entries: [Entry] = []
        var waiters: [Int: Waiter] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    package init() {}

    package var entries: [Entry] { state.withLock { $0.entries } }

    package func count(_ fits: (Entry) -> Bool) -> Int { entries.count(where: fits) }

    package func add(_ entry: Entry) {
        let done = state.withLock { state in
            state.entries.append(entry)
            let done = state.waiters.filter { $0.value.isDone(state.entries) }
            for key in done.keys { state.waiters[key] = nil }
            return done.values.map(\.continuation)
        }
        for continuation in done { continuation.resume(returning: true) }
    }

    /// Waits until the entries are what the test waits for; fails the test after the limit.
    package func wait(
        _ what: String, within limit: Duration = .seconds(15), at location: SourceLocation = #_sourceLocation,
        until isDone: @escaping @Sendable ([Entry]) -> Bool
    ) async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        let timer = Task {
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume(returning: false)
        }
        let isInTime = await withCheckedContinuation { continuation in
            let isDoneAlready = state.withLock { state in
                if isDone(state.entries) { return true }
                state.waiters[id] = Waiter(isDone: isDone, continuation: continuation)
                return false
            }
            if isDoneAlready { continuation.resume(returning: true) }
        }
        timer.cancel()
        try #require(isInTime, "\(what) has not come; so far: \(entries.suffix(40))", sourceLocation: location)
    }

    /// Waits until `count` entries fit.
    package func waitFor(
        _ what: String, count: Int = 1, within limit: Duration = .seconds(15),
        at location: SourceLocation = #_sourceLocation, where fits: @escaping @Sendable (Entry) -> Bool
    ) async throws {
        try await wait(what, within: limit, at: location) { $0.count(where: fits) >= count }
    }
}

/// Something that a test lets happen once, for threads and tasks that wait for it.
package final class Gate: Sendable {
    private let journal = Journal<Bool>()
    private let lock = Mutex(false)

    package init() {}

    package func open() {
        lock.withLock { $0 = true }
        journal.add(true)
    }

    package var isOpen: Bool { lock.withLock { $0 } }

    package func pass(_ what: String = "the gate") async throws { try await journal.wait(what) { !$0.isEmpty } }
}

/// Asks again and again, for what tells nobody that it has come; fails the test after 15 seconds.
package func eventually(
    _ what: String, at location: SourceLocation = #_sourceLocation, _ isDone: () async -> Bool
) async throws {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(15)
    while await !isDone() {
        try #require(clock.now < end, "\(what) has not come", sourceLocation: location)
        await Task.yield()
    }
}
