import Synchronization

/// The result of `work`, or `fallback` when it takes longer than `limit`.
///
/// Unlike a task group this does not wait for the work that was given up: an adapter that never returns would otherwise
/// take everybody who asks with it. The work goes on, and its late result is dropped.
func withDeadline<Value: Sendable>(
    _ limit: Duration, orElse fallback: Value, _ work: @escaping @Sendable () async -> Value
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
            race.finish(await work())
            timer.cancel()
        }
    }
}

/// A continuation that only the first of two resumes.
private final class Race<Value: Sendable>: Sendable {
    private let waiting = Mutex<CheckedContinuation<Value, Never>?>(nil)

    func begin(_ continuation: CheckedContinuation<Value, Never>) { waiting.withLock { $0 = continuation } }

    func finish(_ value: Value) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(returning: value)
    }
}
