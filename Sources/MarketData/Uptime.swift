import Glibc

/// The clock for deadlines, ages and rates: it goes on evenly, whatever is done to the time of day.
public enum Uptime {
    /// ns since the machine's start, without the time that it slept; never 0.
    public static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return max(1, UInt64(max(0, time.tv_sec)) &* 1_000_000_000 &+ UInt64(max(0, time.tv_nsec)))
    }
}
