/// Times as India's brokers write them: Indian Standard Time, 5 h 30 min ahead of UTC, without summer time.
///
/// ```swift
/// IndianTime.nanoseconds(bytes, as: .iso)  // "2021-07-05 10:41:27" → 1625461887000000000
/// ```
public enum IndianTime {
    /// How far it is ahead of UTC. Seconds.
    @inlinable
    public static var offset: Int64 { 19_800 }
    /// A day. Seconds.
    @inlinable
    public static var day: Int64 { 86_400 }
    /// Times that are taken for what they are: seconds since the Unix epoch, UTC, up to the year 2286. As nanoseconds
    /// they fit 64 bits, which those of the year 9999 do not.
    @inlinable
    public static var plausible: Range<Int64> { 1..<10_000_000_000 }

    /// The first of January 1990, in seconds since the Unix epoch: India's exchanges trade electronically since the years
    /// after it. What a feed names as the time of a trade or a message before that is the zero of some clock, that of Unix
    /// (1970) or that of NSE (1980), and says that there is none.
    @inlinable
    public static var firstTrades: Int64 { 631_152_000 }

    /// How a day and a time of it are put together. Letters are taken in either case.
    public struct Form: Hashable, Sendable {
        fileprivate let day: Int
        fileprivate let dayLength: Int
        fileprivate let time: Int
        /// Days begin with the day of the month, as a number, then comes the month's number.
        fileprivate var isDayFirst = false
        /// Whether a `T` may stand for the space, and a fraction or a zone may follow, which are passed over.
        fileprivate var isISO = false

        /// `2021-07-05 10:41:27` and what ISO 8601 makes of it.
        public static let iso = Form(day: 0, dayLength: 10, time: 11, isISO: true)
        /// `05-Jul-2021 10:41:27`.
        public static let namedMonth = Form(day: 0, dayLength: 11, time: 12)
        /// `05-07-2021 10:41:27`.
        public static let dayFirst = Form(day: 0, dayLength: 10, time: 11, isDayFirst: true)
        /// `10:41:27 05-07-2021`.
        public static let timeFirst = Form(day: 9, dayLength: 10, time: 0, isDayFirst: true)
    }

    /// The time that `text` names.
    ///
    /// - Returns: nanoseconds since the Unix epoch, UTC; `nil` if it is no time of that form, or not ``plausible``.
    public static func nanoseconds(_ text: Bytes, as form: Form) -> UInt64? {
        let length = form.dayLength + 9
        guard form.isISO ? text.count >= length : text.count == length,
            isGap(text[max(form.day, form.time) - 1], form),
            let day = calendarDay(text.slice(from: form.day, to: form.day + form.dayLength), form),
            let ofDay = secondsOfDay(text.slice(from: form.time, to: form.time + 8))
        else { return nil }
        let seconds = Int64(day.epochDay) * self.day + Int64(ofDay) - offset
        return plausible.contains(seconds) ? UInt64(seconds) * 1_000_000_000 : nil
    }

    /// The second of the day that `HH:MM:SS` names, 0 to 86399; `nil` if it names none.
    @inlinable
    public static func secondsOfDay(_ text: Bytes) -> Int? {
        guard text.count == 8, let start = text.start else { return nil }
        // All eight bytes at once: the difference to 00:00:00 is the digits, and 0 where the colons are.
        let word = UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
        let digits = word ^ 0x3030_3A30_303A_3030
        guard digits & 0xF0F0_FFF0_F0FF_F0F0 == 0 else { return nil }
        // 6 carries a byte above 9 into its upper half.
        guard (digits &+ 0x0606_0006_0600_0606) & 0xF0F0_00F0_F000_F0F0 == 0 else { return nil }
        let pairs = digits &* 10 &+ digits &>> 8
        let (hour, minute, second) = (pairs & 0xFF, pairs &>> 24 & 0xFF, pairs &>> 48 & 0xFF)
        guard hour < 24, minute < 60, second < 60 else { return nil }
        return Int(truncatingIfNeeded: hour &* 3_600 &+ minute &* 60 &+ second)
    }

    private static func isGap(_ byte: UInt8?, _ form: Form) -> Bool {
        byte == UInt8(ascii: " ") || (form.isISO && byte == UInt8(ascii: "T"))
    }

    private static func calendarDay(_ text: Bytes, _ form: Form) -> CalendarDay? {
        guard form.isDayFirst else {
            // ``CalendarDay`` takes days without dashes too, which are shorter.
            let dashes = text.buffer.count { $0 == UInt8(ascii: "-") }
            return dashes == 2 ? CalendarDay(text) : nil
        }
        guard let day = number(text.slice(from: 0, to: 2)), let month = number(text.slice(from: 3, to: 5)),
            let year = number(text.slice(from: 6)), text[2] == text[5]
        else { return nil }
        return CalendarDay(year: year, month: month, day: day)
    }

    private static func number(_ digits: Bytes) -> Int? {
        var value = 0
        for byte in digits.buffer {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
