import NIOCore

/// For how long a connection has brought nothing, by looking at it now and then. Counts on a clock that nobody sets, and not
/// the time in which nobody looked: a process that was stopped or a machine that slept has heard nothing by its own fault.
struct SilenceWatch: Sendable {
    /// Looks that lie further apart say nothing of the broker.
    private static let longestGap = TimeAmount.seconds(5)

    private var heard: UInt64?
    private var since = NIODeadline.now()
    private var looked: NIODeadline?

    /// - Parameters:
    ///   - heard: Another number each time that something has come.
    ///   - isSilenceOdd: False while nothing is expected, which starts the count anew.
    /// - Returns: Milliseconds.
    mutating func look(at now: NIODeadline, heard: UInt64, isSilenceOdd: Bool) -> Int64 {
        let hasSlept = looked.map { now - $0 > Self.longestGap } ?? true
        if hasSlept || !isSilenceOdd || heard != self.heard { since = now }
        self.heard = heard
        looked = now
        return (now - since).nanoseconds / 1_000_000
    }
}
