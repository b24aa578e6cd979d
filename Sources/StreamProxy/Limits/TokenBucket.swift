import NIOCore

/// A rate with a burst: tokens come back at the rate, and as many as the burst may be taken at once.
///
/// A value of 16 bytes without a clock of its own; who uses it says what time it is.
struct TokenBucket {
    /// What may be taken: `rate` tokens a second, `burst` of them at once.
    struct Rate: Sendable, Hashable {
        let rate: Double
        let burst: Double
    }

    private var tokens: Double
    private var updated: NIODeadline

    /// A full one.
    init(_ rate: Rate, now: NIODeadline) {
        tokens = rate.burst
        updated = now
    }

    /// Takes `count` tokens, or none of them.
    /// - Returns: Nil when they were there, else the time until they would be. More than the burst never are; then it is the
    ///   time until the bucket is full.
    mutating func take(_ count: Double, _ rate: Rate, now: NIODeadline) -> TimeAmount? {
        refill(rate, now)
        if tokens >= count {
            tokens -= count
            return nil
        }
        return wait(for: count, rate)
    }

    /// Takes as many of `count` tokens as there are, whole ones.
    /// - Returns: How many.
    mutating func take(upTo count: Int, _ rate: Rate, now: NIODeadline) -> Int {
        refill(rate, now)
        let taken = min(count, Int(max(tokens, 0)))
        tokens -= Double(taken)
        return taken
    }

    /// - Returns: The time until so many tokens are there, or until the bucket is full if it never holds so many.
    func wait(for count: Double, _ rate: Rate) -> TimeAmount { time(for: min(count, rate.burst) - tokens, rate) }

    /// Gives tokens back that were taken for something that does not count.
    mutating func giveBack(_ count: Double, _ rate: Rate) { tokens = min(tokens + count, rate.burst) }

    /// Leaves so little that after `time` there is exactly one.
    mutating func drain(_ rate: Rate, for time: TimeAmount) {
        tokens = 1 - Double(time.nanoseconds) / 1e9 * rate.rate
    }

    mutating func isFull(_ rate: Rate, now: NIODeadline) -> Bool {
        refill(rate, now)
        return tokens >= rate.burst
    }

    private mutating func refill(_ rate: Rate, _ now: NIODeadline) {
        // Several threads look at their clocks: one may be a little behind another.
        guard now > updated else { return }
        tokens = min(tokens + Double((now - updated).nanoseconds) / 1e9 * rate.rate, rate.burst)
        updated = now
    }

    private func time(for count: Double, _ rate: Rate) -> TimeAmount {
        .nanoseconds(Int64((max(count, 0) / rate.rate * 1e9).rounded(.up)))
    }
}
