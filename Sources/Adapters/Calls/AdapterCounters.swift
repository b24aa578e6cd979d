import CFeedhostABI
import Synchronization

/// What one broker's adapter has counted and what the host has seen of it. Any thread.
public final class AdapterCounters: Sendable {
    let ignoredFrames = Atomic<Int>(0)
    let badFrames = Atomic<Int>(0)
    let droppedTicks = Atomic<Int>(0)
    let gaps = Atomic<Int>(0)
    package let connects = Atomic<Int>(0)
    package let disconnects = Atomic<Int>(0)
    let slowCalls = Atomic<Int>(0)
    let suppressedLogs = Atomic<Int>(0)
    let unknownMetrics = Atomic<Int>(0)
    /// When the call into the adapter that is under way began, ns of ``Uptime``; 0 = none. A broker's lane is one
    /// thread, so there is never more than one.
    let callStarted = Atomic<UInt64>(0)

    public init() {}

    /// `metric_add()`: `FH_M_*`.
    func add(metric: UInt32, _ delta: Int64) {
        let amount = Int(clamping: delta)
        switch Int(metric) {
        case Int(FH_M_FRAMES_IGNORED): ignoredFrames.wrappingAdd(amount, ordering: .relaxed)
        case Int(FH_M_FRAMES_BAD): badFrames.wrappingAdd(amount, ordering: .relaxed)
        case Int(FH_M_TICKS_DROPPED): droppedTicks.wrappingAdd(amount, ordering: .relaxed)
        case Int(FH_M_GAPS): gaps.wrappingAdd(amount, ordering: .relaxed)
        default: unknownMetrics.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// For how long the present call has been running; 0 when there is none. ns.
    package func timeInCall(now: UInt64) -> UInt64 {
        let started = callStarted.load(ordering: .relaxed)
        return started == 0 || now < started ? 0 : now - started
    }

    /// By the names that metrics use.
    public var snapshot: [(name: String, value: Int)] {
        func read(_ counter: borrowing Atomic<Int>) -> Int { counter.load(ordering: .relaxed) }
        return [
            ("adapter_frames_ignored", read(ignoredFrames)), ("adapter_frames_bad", read(badFrames)),
            ("adapter_ticks_dropped", read(droppedTicks)), ("adapter_gaps", read(gaps)),
            ("adapter_connects", read(connects)), ("adapter_disconnects", read(disconnects)),
            ("adapter_slow_calls", read(slowCalls)), ("adapter_logs_suppressed", read(suppressedLogs)),
            ("adapter_unknown_metrics", read(unknownMetrics)),
        ]
    }
}
