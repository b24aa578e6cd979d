import AdapterKit
import AdapterTestKit
import Testing

@Suite struct IndianTimeTests {
    private func seconds(_ text: String, _ form: IndianTime.Form) -> UInt64? {
        var text = text
        return text.withUTF8 { IndianTime.nanoseconds(Bytes($0), as: form) }.map { $0 / 1_000_000_000 }
    }

    private func ofDay(_ text: String) -> Int? {
        var text = text
        return text.withUTF8 { IndianTime.secondsOfDay(Bytes($0)) }
    }

    @Test(
        arguments: [
            ("2021-07-05 10:41:27", .iso), ("2021-07-05T10:41:27", .iso), ("2021-07-05T10:41:27.5+05:30", .iso),
            ("05-Jul-2021 10:41:27", .namedMonth), ("05-JUL-2021 10:41:27", .namedMonth),
            ("05-07-2021 10:41:27", .dayFirst), ("05/07/2021 10:41:27", .dayFirst),
            ("10:41:27 05-07-2021", .timeFirst),
        ] as [(String, IndianTime.Form)])
    func readsEveryForm(text: String, form: IndianTime.Form) {
        #expect(seconds(text, form) == 1_625_461_887)
    }

    @Test(
        arguments: [
            ("05-07-2021 10:41:27", .iso), ("2021-07-05 10:41:27", .dayFirst), ("2021-07-05 10:41:27", .namedMonth),
            ("10:41:27 05-07-2021", .dayFirst), ("05-07-2021 10:41:27", .timeFirst), ("2021-07-05 10:41:2", .iso),
            ("2021-07-05_10:41:27", .iso), ("05-Jul-2021T10:41:27", .namedMonth), ("05-07-2021 10:41:27 ", .dayFirst),
            ("2021-02-29 10:41:27", .iso), ("30-Feb-2024 10:41:27", .namedMonth), ("31-04-2021 10:41:27", .dayFirst),
            ("00-07-2021 10:41:27", .dayFirst), ("05-13-2021 10:41:27", .dayFirst), ("05-07/2021 10:41:27", .dayFirst),
            ("05-07-2O21 10:41:27", .dayFirst), ("2021-07-05 24:00:00", .iso), ("2021-07-05 10-41-27", .iso),
            ("20210705   10:41:27", .iso), ("", .iso), ("", .timeFirst),
        ] as [(String, IndianTime.Form)])
    func whatIsNoTimeIsNone(text: String, form: IndianTime.Form) {
        #expect(seconds(text, form) == nil)
    }

    /// Nanoseconds of later years do not fit 64 bits, and before 1970 there is no time.
    @Test func keepsToPlausibleYears() {
        #expect(seconds("1970-01-01 05:30:00", .iso) == nil)
        #expect(seconds("1970-01-01 05:30:01", .iso) == 1)
        #expect(seconds("2286-11-20 23:16:39", .iso) == 9_999_999_999)
        for year in [2286, 2553, 2554, 2555, 9999] {
            #expect(seconds("\(year)-12-31 23:59:59", .iso) == nil)
            #expect(seconds("31-Dec-\(year) 23:59:59", .namedMonth) == nil)
            #expect(seconds("23:59:59 31-12-\(year)", .timeFirst) == nil)
        }
        #expect(seconds("1900-01-01 00:00:00", .iso) == nil && seconds("0000-00-00 00:00:00", .iso) == nil)
    }

    @Test func readsEverySecondOfADay() {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        for second in stride(from: 0, to: 86_400, by: 7) {
            #expect(ofDay("\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60))") == second)
        }
        #expect(ofDay("23:59:59") == 86_399)
    }

    /// One byte of a good time after the other becomes every other byte.
    @Test func takesNoByteForAnother() {
        let good = Array("12:34:56".utf8)
        for place in good.indices {
            for byte in UInt8.min...UInt8.max {
                var bytes = good
                bytes[place] = byte
                let digits = [0, 1, 3, 4, 6, 7].map { Int(bytes[$0]) - 0x30 }
                let isTime =
                    digits.allSatisfy { (0...9).contains($0) } && bytes[2] == UInt8(ascii: ":")
                    && bytes[5] == UInt8(ascii: ":") && digits[0] * 10 + digits[1] < 24 && digits[2] < 6
                    && digits[4] < 6
                let expected =
                    isTime
                    ? (digits[0] * 10 + digits[1]) * 3_600 + (digits[2] * 10 + digits[3]) * 60 + digits[4] * 10
                        + digits[5] : nil
                #expect(bytes.withUnsafeBufferPointer { IndianTime.secondsOfDay(Bytes($0)) } == expected)
            }
        }
        #expect(ofDay("") == nil && ofDay("1:23:45") == nil && ofDay("12:34:567") == nil)
    }

    @Test func daysAreCountedFromTheEpoch() throws {
        var epochDay = -25_567
        var wrong: [CalendarDay] = []
        for year in 1900...2500 {
            for month in 1...12 {
                for day in 1...31 {
                    guard let date = CalendarDay(year: year, month: month, day: day) else { continue }
                    if date.epochDay != epochDay { wrong.append(date) }
                    epochDay += 1
                }
            }
        }
        #expect(wrong.isEmpty && epochDay == 193_944)
        #expect(try #require(CalendarDay(year: 1970, month: 1, day: 1)).epochDay == 0)
    }

    /// Any text: no crash, and never a time that is not plausible.
    @Test func survivesAnyText() {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededNumbers(seed: seed)
        let forms: [IndianTime.Form] = [.iso, .namedMonth, .dayFirst, .timeFirst]
        let marks = Array("0123456789-: TJanDEC".utf8)
        var times = 0
        for _ in 0..<20_000 {
            var bytes = Array(
                ["2021-07-05 10:41:27", "05-Jul-2021 10:41:27", "10:41:27 05-07-2021"][
                    Int.random(in: 0..<3, using: &random)
                ].utf8)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] =
                    marks[Int.random(in: 0..<marks.count, using: &random)]
            }
            for form in forms {
                guard let time = bytes.withUnsafeBufferPointer({ IndianTime.nanoseconds(Bytes($0), as: form) }) else {
                    continue
                }
                times += 1
                #expect(IndianTime.plausible.contains(Int64(time / 1_000_000_000)), "seed \(seed)")
            }
        }
        #expect(times > 0)
    }
}
