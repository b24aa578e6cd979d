import AdapterKit

/// Times in Indian Standard Time, UTC+05:30 without daylight saving, as the broker writes them.
enum IndianTime {
    static let offset: Int64 = 19_800
    static let day: Int64 = 86_400
    /// How far the clocks of a trade and of the feed may differ. Seconds.
    static let tolerance: Int64 = 300
    /// Times that are taken for what they are: seconds since the Unix epoch, UTC. Their nanoseconds fit.
    static let plausible: Range<Int64> = 1..<10_000_000_000

    /// The second of the day that `HH:MM:SS` names; `nil` if it names none.
    static func secondsOfDay(_ text: Bytes) -> Int? {
        let bytes = text.buffer
        guard bytes.count == 8, bytes[2] == UInt8(ascii: ":"), bytes[5] == UInt8(ascii: ":"),
            let hour = number(bytes, at: 0, digits: 2), let minute = number(bytes, at: 3, digits: 2),
            let second = number(bytes, at: 6, digits: 2), hour < 24, minute < 60, second < 60
        else { return nil }
        return hour * 3_600 + minute * 60 + second
    }

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

    /// The time that `dd-mm-yyyy HH:MM:SS` or `HH:MM:SS dd-mm-yyyy` names: nanoseconds since the Unix epoch, UTC.
    static func nanoseconds(_ text: Bytes) -> UInt64? {
        guard text.count == 19, let space = text.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        let isDateFirst = space == 10
        let date = isDateFirst ? text.slice(from: 0, to: 10) : text.slice(from: 9)
        let time = isDateFirst ? text.slice(from: 11) : text.slice(from: 0, to: 8)
        let bytes = date.buffer
        guard bytes.count == 10, let day = number(bytes, at: 0, digits: 2), let month = number(bytes, at: 3, digits: 2),
            let year = number(bytes, at: 6, digits: 4), year >= 1970,
            CalendarDay(year: year, month: month, day: day) != nil, let seconds = secondsOfDay(time)
        else { return nil }
        let total = Int64(daysSinceEpoch(year, month, day)) * Self.day + Int64(seconds) - offset
        return plausible.contains(total) ? UInt64(total) * 1_000_000_000 : nil
    }

    private static func number(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int, digits: Int) -> Int? {
        var value = 0
        for offset in start..<start + digits {
            let digit = bytes[offset] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// Days from 1970-01-01 to a day of the Gregorian calendar. The year is taken to begin in March, so that the leap
    /// day is its last.
    private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }
}
