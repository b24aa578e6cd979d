import NIOCore

/// How long to wait before the next connect: doubling, with jitter, so that a broker's restart does not bring all
/// sessions back in the same instant.
struct Backoff: Sendable {
    /// A connection that stood so long was healthy, and the next failure is a first one again. Less, and a broker that lets
    /// everybody in and drops them a few seconds later would be called twice a second for ever.
    static let healthyAfter = TimeAmount.seconds(10)

    /// Milliseconds.
    let base: Int64
    let longest: Int64
    private(set) var failures = 0

    init(base: Int64, longest: Int64) {
        self.base = max(1, base)
        self.longest = max(self.base, longest)
    }

    /// The next wait in milliseconds, between half of the step and the whole.
    mutating func next(using random: inout some RandomNumberGenerator) -> Int64 {
        let step = failures >= 30 ? longest : min(longest, base << Int64(failures))
        failures += 1
        return Int64.random(in: max(1, step / 2)...step, using: &random)
    }

    /// After a connection that was healthy: the next failure starts from the beginning.
    mutating func reset() { failures = 0 }
}
