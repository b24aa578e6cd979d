import Synchronization

/// The result of `work`, or `fallback` when it takes longer than `limit`.
///
/// Unlike a task group this does not wait for the work that was given up: an adapter that never returns would otherwise
/// take everybody who asks with it. The work goes on, and its late result goes to `late`, which gives back what it holds.
///
/// ```swift
/// let account = await withDeadline(.seconds(4), orElse: nil) { try? await accounts.authenticate(key: key) }
/// ```
public func withDeadline<Value: Sendable>(
    _ limit: Duration, orElse fallback: Value, late: @escaping @Sendable (Value) async -> Void = { _ in },
    _ work: @escaping @Sendable () async -> Value
) async -> Value {
    let race = Race<Value>()
    return await withCheckedContinuation { continuation in
        race.begin(continuation)
        let timer = Task {
            // Cancelled: the work was faster.
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            race.finish(fallback)
        }
        Task {
            let value = await work()
            timer.cancel()
            if !race.finish(value) { await late(value) }
        }
    }
}

/// A continuation that only the first of two resumes.
private final class Race<Value: Sendable>: Sendable {
    private let waiting = Mutex<CheckedContinuation<Value, Never>?>(nil)

    func begin(_ continuation: CheckedContinuation<Value, Never>) { waiting.withLock { $0 = continuation } }

    /// - Returns: False when the other one was first.
    @discardableResult
    func finish(_ value: Value) -> Bool {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(returning: value)
        return continuation != nil
    }
}
