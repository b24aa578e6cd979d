import CFeedhostABI
import Synchronization

/// Ids of sockets, requests and timers: process-wide, rising, never 0, never reused.
enum LaneIDs {
    private static let last = Atomic<UInt64>(0)

    static func next() -> fh_id { last.add(1, ordering: .relaxed).newValue }
}
