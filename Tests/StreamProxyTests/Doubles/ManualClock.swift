import Synchronization

/// A clock that a test sets.
final class ManualClock: Sendable {
    private let milliseconds: Atomic<Int64>

    init(_ time: Int64) { milliseconds = Atomic(time) }

    var time: Int64 { milliseconds.load(ordering: .acquiring) }

    func set(_ time: Int64) { milliseconds.store(time, ordering: .releasing) }
}
