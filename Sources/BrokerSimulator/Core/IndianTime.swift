/// A moment as Indian brokers write it.
struct IndianTime {
    let day: CalendarDay
    /// `23:53:21`
    let clock: String

    /// - Parameter nanoseconds: Since the Unix epoch, UTC.
    init(_ nanoseconds: UInt64) {
        let seconds = Int(nanoseconds / 1_000_000_000)
        day = CalendarDay(epochSeconds: seconds)
        let ofDay = (seconds + CalendarDay.zoneSeconds) % 86_400
        clock = [ofDay / 3_600, ofDay / 60 % 60, ofDay % 60].map(CalendarDay.padded).joined(separator: ":")
    }

    /// `25-Oct-2023 23:53:21`
    var namedMonth: String {
        "\(day.twoDigitDay)-\(day.monthName.prefix(1))\(day.monthName.dropFirst().lowercased())-\(day.year) \(clock)"
    }

    /// `25-10-2023 23:53:21`
    var numbered: String { "\(day.twoDigitDay)-\(day.twoDigitMonth)-\(day.year) \(clock)" }
}
