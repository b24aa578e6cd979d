import AdapterKit

extension IndianTime {
    /// How far the clocks of a trade and of the feed may differ. Seconds.
    static let tolerance: Int64 = 300

    /// When a trade at `seconds` of the day was, given the feed's time: seconds since the Unix epoch, UTC.
    ///
    /// The wire has no date. A trade later than the feed was on an earlier day, and which one it does not say: `nil`.
    /// Midnight stands for no trade.
    static func tradeTime(_ seconds: Int64, feed: Int64) -> Int64? {
        guard seconds > 0, plausible.contains(feed) else { return nil }
        let local = feed + offset
        let time = local - local % day + seconds - offset
        return time <= feed + tolerance ? time : nil
    }
}
