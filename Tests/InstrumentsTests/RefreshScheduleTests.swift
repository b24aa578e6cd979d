import Testing

@testable import Instruments

struct RefreshScheduleTests {
    private let schedule = RefreshSchedule(hour: 8, minute: 35)
    /// 2024-11-28 08:35:00 in India.
    private let morning: Int64 = 1_732_763_100

    @Test func aMissingMasterIsDue() {
        #expect(schedule.isDue(synced: nil, now: morning - 5000))
    }

    @Test func onceADay() {
        #expect(schedule.last(before: morning) == morning)
        #expect(schedule.last(before: morning - 1) == morning - 86_400)
        #expect(schedule.last(before: morning + 86_399) == morning)
        #expect(!schedule.isDue(synced: morning - 3600, now: morning - 1))
        #expect(schedule.isDue(synced: morning - 3600, now: morning))
        #expect(!schedule.isDue(synced: morning, now: morning + 86_399))
        #expect(schedule.isDue(synced: morning, now: morning + 86_400))
        #expect(!schedule.isDue(synced: morning + 1000, now: morning), "a clock that was set back")
    }

    @Test func midnightIsIndias() {
        let midnight = RefreshSchedule(hour: 0, minute: 0)
        // 2024-11-28 00:00 in India is 18:30 of the day before in UTC.
        #expect(midnight.last(before: 1_732_732_200) == 1_732_732_200)
        #expect(midnight.last(before: 1_732_732_199) == 1_732_645_800)
        #expect(RefreshSchedule(hour: 23, minute: 59).last(before: 0) == 66_540 - 86_400)
    }

    @Test func failuresWaitLongerAndLonger() {
        let waits = (1...8).map { RefreshSchedule.wait(afterFailures: $0) }
        #expect(waits.prefix(3) == [.seconds(60), .seconds(120), .seconds(240)])
        #expect(waits.last == .seconds(1800))
        #expect(RefreshSchedule.wait(afterFailures: 1000) == .seconds(1800))
    }
}
