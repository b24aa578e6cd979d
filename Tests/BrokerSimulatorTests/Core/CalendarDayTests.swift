import Testing

@testable import BrokerSimulator

struct CalendarDayTests {
    @Test func daysAndNumbersAgree() {
        for number in stride(from: 0, to: 60_000, by: 7) { #expect(CalendarDay(epochDay: number).epochDay == number) }
        #expect(CalendarDay(epochDay: 0).number == 19_700_101)
        #expect(CalendarDay(year: 2024, month: 2, day: 29).epochDay == 19_782)
        #expect(CalendarDay(year: 2026, month: 11, day: 23).weekday == 1)
    }

    @Test func theDayIsIndias() {
        // 2021-07-05T10:41:27+05:30, and the last second of that day.
        #expect(CalendarDay(epochSeconds: 1_625_461_887).number == 20_210_705)
        #expect(CalendarDay(epochSeconds: 1_625_509_799).number == 20_210_705)
        #expect(CalendarDay(epochSeconds: 1_625_509_800).number == 20_210_706)
    }

    @Test(arguments: [
        (CalendarDay(year: 2026, month: 11, day: 23), [20_261_124, 20_261_229]),
        (CalendarDay(year: 2026, month: 11, day: 24), [20_261_124, 20_261_229]),
        (CalendarDay(year: 2026, month: 11, day: 25), [20_261_229, 20_270_126]),
        (CalendarDay(year: 2026, month: 1, day: 31), [20_260_224, 20_260_331]),
    ])
    func expiriesAreTheLastTuesdays(day: CalendarDay, expected: [Int]) {
        #expect(day.monthlyExpiries(2).map(\.number) == expected)
    }
}
