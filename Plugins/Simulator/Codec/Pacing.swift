/// Turns the calls of an imprecise timer into a number of ticks that is exact on average.
struct Pacing {
    /// Ticks a second.
    let rate: Int
    private var last: UInt64
    /// What is due, in ticks times 10⁹; the remainder is carried to the next call.
    private var due: UInt64 = 0

    init(rate: Int, now: UInt64) {
        self.rate = rate
        last = now
    }

    /// How often the timer should run, in microseconds: four times for each tick, but 1 ms at the most often and 50 ms
    /// at the least, so that slow rates are even and fast ones do not wake up for single ticks.
    static func interval(rate: Int) -> Int {
        min(max(1_000_000 / rate / 4, 1_000), 50_000)
    }

    /// The ticks to make now, and those that are left out because the timer came too late: at most 100 ms worth are
    /// caught up.
    mutating func advance(to now: UInt64) -> (ticks: Int, skipped: Int) {
        // A clock that was set back costs one interval, nothing more.
        let elapsed = now > last ? now - last : 0
        last = now
        let hour: UInt64 = 3_600_000_000_000
        due += min(elapsed, hour) * UInt64(rate)
        let ticks = Int(due / 1_000_000_000)
        due %= 1_000_000_000
        let burst = max(1, rate / 10)
        return ticks > burst ? (burst, ticks - burst) : (ticks, 0)
    }
}
