import Glibc

/// The time of day, UTC; what ticks and replies are stamped with.
public enum WallClock {
    /// ns since the Unix epoch; 0 for a clock that is set to before it.
    public static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(0, time.tv_sec)) &* 1_000_000_000 &+ UInt64(max(0, time.tv_nsec))
    }

    /// ms since the Unix epoch.
    public static var milliseconds: Int { Int(now() / 1_000_000) }
}
