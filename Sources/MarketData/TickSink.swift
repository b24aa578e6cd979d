import CFeedhostABI

/// Where the ticks of one broker connection go: the bus, a worker's ring, a test's list. One thread at a time; nothing waits,
/// unless the caller says that it may.
public protocol TickSink: AnyObject, Sendable {
    /// Process-wide, never reused.
    var id: UInt64 { get }

    /// True when whoever reads is far behind; a transport then stops reading from its socket.
    var isCrowded: Bool { get }

    /// Takes updates without books, in order.
    /// - Parameters:
    ///   - now: ns since the Unix epoch, for ticks that carry no receive time.
    ///   - mayWait: Asked when there is no room: whether this thread may be held for a moment.
    /// - Returns: How many were taken; the rest is dropped and counted.
    func publish(_ ticks: UnsafeBufferPointer<fh_tick>, now: UInt64, mayWait: () -> Bool) -> Int

    /// Takes one update with a book.
    /// - Returns: False when it is dropped, and counted.
    func publish(
        _ tick: UnsafePointer<fh_tick>, bids: UnsafeBufferPointer<fh_level>, asks: UnsafeBufferPointer<fh_level>,
        now: UInt64, mayWait: () -> Bool
    ) -> Bool

    /// Takes a finished JSON object (`feedhost.raw-publish/1`).
    /// - Returns: False when it is dropped, and counted.
    func publish(raw json: UnsafeRawBufferPointer, instrument: UInt32, mode: Mode, mayWait: () -> Bool) -> Bool
}
