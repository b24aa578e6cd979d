import CFeedhostABI
import MarketData
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

    package func samples(of broker: String) -> [Sample] {
        func read(_ name: String, _ counter: borrowing Atomic<Int>, _ help: String) -> Sample {
            .counter(
                "feedhost_adapter_\(name)_total", labels: [.broker: broker], counter.load(ordering: .relaxed),
                figure: "adapter_\(name)_\(broker)", help)
        }
        return [
            read("frames_ignored", ignoredFrames, "Frames of no use."),
            read("frames_bad", badFrames, "Frames that could not be decoded."),
            read("ticks_dropped", droppedTicks, "Ticks that the adapter says it has dropped."),
            read("gaps", gaps, "Gaps that the adapter says it has seen."),
            read("connects", connects, "Attempts to connect."),
            read("disconnects", disconnects, "Connections lost."),
            read("slow_calls", slowCalls, "Calls that took longer than 250 ms."),
            read("logs_suppressed", suppressedLogs, "Log lines of the adapter that were left out as too many."),
            read("unknown_metrics", unknownMetrics, "Counts of things that the host does not know."),
        ]
    }
}
