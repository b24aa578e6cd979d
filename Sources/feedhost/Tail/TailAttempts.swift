import Foundation

/// How long to wait before the next connection: 1, 2, 4, 8 s and then 15 s each time, and from the beginning after a
/// connection that has held for 10 s.
struct TailAttempts: Sendable {
    private var failures = 0
    private var connectedAt: ContinuousClock.Instant?

    mutating func connected(at now: ContinuousClock.Instant = .now) { connectedAt = now }

    /// - Returns: Seconds to wait.
    mutating func failed(at now: ContinuousClock.Instant = .now) -> Int {
        if let since = connectedAt, now - since >= .seconds(10) { failures = 0 }
        connectedAt = nil
        failures += 1
        return min(15, 1 << min(failures - 1, 4))
    }
}
