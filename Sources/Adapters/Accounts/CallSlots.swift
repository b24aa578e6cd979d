import Dispatch
import MarketData
import Synchronization

/// Threads for calls that may wait: so many at once, and nobody waits for one longer than the limit.
///
/// A call that hangs keeps its thread; the others go on. When all hang, who comes next is answered at once.
final class CallSlots: Sendable {
    enum Outcome<Value: Sendable>: Sendable {
        case done(Value)
        /// It took too long, or those before it did not come back.
        case late
        /// Too many were waiting already.
        case crowded
    }

    private struct State {
        var idle: [DispatchQueue]
        /// When each call that runs began.
        var running: [Int: ContinuousClock.Instant] = [:]
        /// In the order in which they came. Run with a thread, or with nil to be given up.
        var waiting: [(id: Int, begin: @Sendable (DispatchQueue?) -> Void)] = []
        var nextID = 0
    }

    /// Calls that may wait for a thread.
    private static let mostWaiting = 256
    private let state: Mutex<State>
    private let limit: Duration

    /// - Parameter count: Calls at once.
    init(_ count: Int, limit: Duration, label: String) {
        self.limit = limit
        // A queue each: serial ones have threads of their own, where those of a concurrent one are shared by the process.
        state = Mutex(State(idle: (0..<count).map { DispatchQueue(label: "\(label).\($0)") }))
    }

    /// Runs `body` on a thread of its own. What comes back after the limit is thrown away.
    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Outcome<Value> {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let answer = await withDeadline(limit, orElse: Outcome<Value>.late) { [self] in
            await withCheckedContinuation { continuation in
                let refusal: Outcome<Value>? = enter(id) { queue in
                    guard let queue else { return continuation.resume(returning: .late) }
                    queue.async {
                        let value = body()
                        self.leave(id, queue)
                        continuation.resume(returning: .done(value))
                    }
                }
                if let refusal { continuation.resume(returning: refusal) }
            }
        }
        if case .late = answer { giveUp(id) }
        return answer
    }

    /// Begins the call, or puts it at the end of the queue.
    /// - Returns: Why it does not even wait; nil when it does or has begun.
    private func enter<Value>(
        _ id: Int, _ begin: @escaping @Sendable (DispatchQueue?) -> Void
    ) -> Outcome<Value>? {
        let (queue, refusal) = state.withLock { state -> (DispatchQueue?, Outcome<Value>?) in
            if let queue = state.idle.popLast() {
                state.running[id] = .now
                return (queue, nil)
            }
            let now = ContinuousClock.now
            if state.running.values.allSatisfy({ now - $0 > limit }) { return (nil, .late) }
            guard state.waiting.count < Self.mostWaiting else { return (nil, .crowded) }
            state.waiting.append((id, begin))
            return (nil, nil)
        }
        if let queue { begin(queue) }
        return refusal
    }

    /// The thread is free: the next call gets it.
    private func leave(_ id: Int, _ queue: DispatchQueue) {
        let next = state.withLock { state -> (@Sendable (DispatchQueue?) -> Void)? in
            state.running[id] = nil
            guard !state.waiting.isEmpty else {
                state.idle.append(queue)
                return nil
            }
            let next = state.waiting.removeFirst()
            state.running[next.id] = .now
            return next.begin
        }
        next?(queue)
    }

    /// Nobody waits for it any more: if it has not begun, it never does.
    private func giveUp(_ id: Int) {
        let dropped = state.withLock { state in
            state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).begin }
        }
        dropped?(nil)
    }
}
