import MarketData

/// Tells the time in ns since the Unix epoch, UTC; a test brings its own.
public struct LaneClock: Sendable {
    private let read: @Sendable () -> UInt64

    /// The system's clock.
    public init() { read = { WallClock.now() } }

    public init(_ read: @escaping @Sendable () -> UInt64) { self.read = read }

    public func now() -> UInt64 { read() }
}
