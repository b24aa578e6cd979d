/// A day of the Gregorian calendar, as instrument masters name days of expiry.
public struct CalendarDay: Hashable, Comparable, Sendable {
    /// `yyyymmdd`.
    public let number: UInt32

    /// The day of that year, month (1–12) and day (1–31); `nil` if there is none.
    public init?(year: Int, month: Int, day: Int) {
        guard (1900...9999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
        let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[month - 1] else { return nil }
        number = UInt32(year * 10_000 + month * 100 + day)
    }

    /// The day that `number`, `yyyymmdd`, names.
    public init?(number: UInt32) {
        let number = Int(number)
        self.init(year: number / 10_000, month: number / 100 % 100, day: number % 100)
    }

    /// Reads `2024-03-28`, `28-MAR-2024` or `28MAR2024`, in either case.
    public init?(_ text: Bytes) {
        let letters = text.buffer.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ") }
        func whole(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in letters[range] {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return value
        }
        if letters.count == 8 {
            guard let number = whole(0..<8) else { return nil }
            self.init(number: UInt32(number))
        } else if letters.count == 9 {
            let name = String(decoding: letters[2..<5].map { $0 & 0xDF }, as: UTF8.self)
            guard let day = whole(0..<2), let year = whole(5..<9),
                let month = Self.months.firstIndex(of: name)
            else { return nil }
            self.init(year: year, month: month + 1, day: day)
        } else {
            return nil
        }
    }

    /// Days from 1970-01-01, negative before it.
    public var epochDay: Int {
        let (month, day) = (Int(number) / 100 % 100, Int(number) % 100)
        // Years begin in March here, so that the leap day is a year's last.
        let year = Int(number) / 10_000 - (month <= 2 ? 1 : 0)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }

    /// As in OpenAlgo's symbols: `28MAR24`.
    public var symbolText: String {
        let (year, month, day) = (Int(number) / 10_000, Int(number) / 100 % 100, Int(number) % 100)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return two(day) + Self.months[month - 1] + two(year % 100)
    }

    /// Earlier days first.
    public static func < (a: CalendarDay, b: CalendarDay) -> Bool { a.number < b.number }

    private static let months = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ]
}
