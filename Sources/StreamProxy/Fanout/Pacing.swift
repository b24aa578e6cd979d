import NIOCore

/// Subscriptions with a rate of their own: each gets at most one message an interval, the newest. Confined to its loop.
final class Pacing {
    /// Those with something new, and when the first of them may get it.
    private var waiting: ContiguousArray<Subscription> = []
    private(set) var next: NIODeadline?

    /// A stream has a new value.
    func receive(_ stream: Stream) {
        for subscription in stream.paced {
            guard let pace = subscription.pace, !pace.isWaiting else { continue }
            pace.isWaiting = true
            waiting.append(subscription)
            next = min(next ?? pace.next, pace.next)
        }
    }

    /// Sends what may go now.
    func send(_ now: NIODeadline) {
        guard let first = next, first <= now else { return }
        next = nil
        var touched: ContiguousArray<Outbox> = []
        waiting.removeAll { subscription in
            guard let pace = subscription.pace, !subscription.hasLeft else { return true }
            guard pace.next <= now else {
                next = min(next ?? pace.next, pace.next)
                return false
            }
            pace.isWaiting = false
            // From now, not from when it was due: a late turn must not be followed by an early one.
            pace.next = now + pace.interval
            subscription.outbox.append(subscription.stream)
            touched.append(subscription.outbox)
            return true
        }
        // Flushing may end a connection, whose subscriptions then leave.
        for outbox in touched { outbox.flush() }
    }
}
