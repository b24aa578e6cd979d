import AdapterKit

/// Times as Angel One writes them: India's, which is 5 h 30 min ahead of UTC and has no summer time.
enum IndianTime {
    /// Reads `25-Oct-2023 23:53:21`.
    ///
    /// - Returns: nanoseconds since the Unix epoch, UTC; nil if it is no such time.
    static func nanoseconds(_ text: Bytes) -> UInt64? {
        guard text.count == 20, let day = CalendarDay(text.slice(from: 0, to: 11)), text[2] == UInt8(ascii: "-"),
            text[6] == UInt8(ascii: "-"), text[11] == UInt8(ascii: " "), text[14] == UInt8(ascii: ":"),
            text[17] == UInt8(ascii: ":"), let hour = number(text, 12, below: 24),
            let minute = number(text, 15, below: 60),
            let second = number(text, 18, below: 60)
        else { return nil }
        let seconds = daysSince1970(day) * 86_400 + hour * 3_600 + minute * 60 + second - 19_800
        // Nanoseconds of the year 9999 do not fit; ten digits of seconds, to 2286, do.
        return (1..<10_000_000_000).contains(seconds) ? UInt64(seconds) * 1_000_000_000 : nil
    }

    /// Two digits.
    private static func number(_ text: Bytes, _ offset: Int, below limit: Int) -> Int? {
        guard let tens = digit(text[offset]), let ones = digit(text[offset + 1]) else { return nil }
        let value = tens * 10 + ones
        return value < limit ? value : nil
    }

    private static func digit(_ byte: UInt8?) -> Int? {
        guard let byte, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        return Int(byte - UInt8(ascii: "0"))
    }

    /// Counted in years that begin in March, so that the leap day is the last day of a year.
    private static func daysSince1970(_ day: CalendarDay) -> Int {
        let (year, month, date) = (Int(day.number) / 10_000, Int(day.number) / 100 % 100, Int(day.number) % 100)
        let marchYear = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + date - 1
        return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
    }
}
