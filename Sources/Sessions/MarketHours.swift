/// When Indian markets may send ticks: Monday to Friday, 09:00 (pre-open of the equity segments) to 23:55 (commodities),
/// Indian Standard Time. Outside these hours silence is normal. Holidays are not known here, so an adapter's
/// off-hours limit should be generous.
enum MarketHours {
    /// - Parameter now: ns since the Unix epoch, UTC.
    static func areOpen(at now: UInt64) -> Bool {
        let seconds = Int(now / 1_000_000_000) + 5 * 3600 + 30 * 60
        // The epoch was a Thursday.
        let weekday = (seconds / 86_400 + 4) % 7
        let minute = seconds % 86_400 / 60
        return (1...5).contains(weekday) && (9 * 60..<23 * 60 + 55).contains(minute)
    }
}
