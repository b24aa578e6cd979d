#if canImport(Glibc)
import Glibc
#endif

/// Tells the time in ns since the Unix epoch, UTC; a test brings its own.
public struct LaneClock: Sendable {
    private let read: @Sendable () -> UInt64

    /// The system's clock.
    public init() {
        read = {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return UInt64(max(0, time.tv_sec)) &* 1_000_000_000 &+ UInt64(max(0, time.tv_nsec))
        }
    }

    public init(_ read: @escaping @Sendable () -> UInt64) { self.read = read }

    public func now() -> UInt64 { read() }
}
