/// When a broker's master is due: once a day at a fixed time in India, where brokers renew them before the market opens.
public struct RefreshSchedule: Sendable, Hashable {
    /// India has had no other offset since 1945: seconds east of UTC.
    private static let india: Int64 = 19_800
    private static let day: Int64 = 86_400

    /// Seconds after midnight in India.
    private let time: Int64

    public init(hour: Int, minute: Int) { time = Int64(hour * 3600 + minute * 60) }

    /// True when there is no master, or one from before the last refresh time.
    /// - Parameters:
    ///   - synced: Seconds since 1970, UTC; nil for a missing master.
    ///   - now: Seconds since 1970, UTC.
    public func isDue(synced: Int64?, now: Int64) -> Bool {
        guard let synced else { return true }
        return synced < last(before: now)
    }

    /// The latest refresh time that is not after `now`.
    func last(before now: Int64) -> Int64 {
        let local = now + Self.india - time
        let days = local >= 0 ? local / Self.day : (local - Self.day + 1) / Self.day
        return days * Self.day + time - Self.india
    }

    /// How long to wait after a number of failures in a row: a minute, then twice as long each time, at most half an hour.
    public static func wait(afterFailures count: Int) -> Duration {
        .seconds(min(1800, 60 << max(0, min(count - 1, 10))))
    }
}
