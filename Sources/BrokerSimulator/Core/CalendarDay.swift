/// A date in India, where exchanges live, in the proleptic Gregorian calendar.
struct CalendarDay: Sendable, Hashable, Comparable {
    let year: Int
    /// 1 to 12.
    let month: Int
    let day: Int

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// India is 5 h 30 min ahead of UTC, all year.
    static let zoneSeconds = 19_800

    /// - Parameter seconds: Since the Unix epoch, UTC.
    init(epochSeconds seconds: Int) {
        self.init(epochDay: (seconds + Self.zoneSeconds) / 86_400)
    }

    /// The inverse of ``epochDay``, for days from 1970 on.
    init(epochDay: Int) {
        // Howard Hinnant's civil_from_days: eras of 400 years that begin on 1 March.
        let shifted = epochDay + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1 January 1970.
    var epochDay: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// 0 = Sunday.
    var weekday: Int { (epochDay + 4) % 7 }

    /// `yyyymmdd`
    var number: Int { year * 10_000 + month * 100 + day }

    /// `JAN` to `DEC`
    var monthName: String {
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"][month - 1]
    }

    var twoDigitDay: String { Self.padded(day) }
    var twoDigitMonth: String { Self.padded(month) }
    var twoDigitYear: String { Self.padded(year % 100) }

    static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }

    /// The last of a weekday in the month of this day.
    func lastOfMonth(weekday: Int) -> CalendarDay {
        let next =
            month == 12 ? CalendarDay(year: year + 1, month: 1, day: 1) : .init(year: year, month: month + 1, day: 1)
        let last = CalendarDay(epochDay: next.epochDay - 1)
        return CalendarDay(epochDay: last.epochDay - (last.weekday - weekday + 7) % 7)
    }

    /// The monthly expiries, on the last Tuesday of a month, that come on or after this day.
    func monthlyExpiries(_ count: Int) -> [CalendarDay] {
        var expiries: [CalendarDay] = []
        var month = CalendarDay(year: year, month: self.month, day: 1)
        while expiries.count < count {
            let expiry = month.lastOfMonth(weekday: 2)
            if expiry >= self { expiries.append(expiry) }
            month = CalendarDay(epochDay: month.epochDay + 31)
            month = CalendarDay(year: month.year, month: month.month, day: 1)
        }
        return expiries
    }

    static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}
