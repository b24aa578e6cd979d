import Foundation
import Testing

@testable import Instruments

struct InstrumentTextTests {
    @Test func bars() {
        #expect(SyncProgress.bar(0, 10_000_000) == "[....................] 0.0 of 10.0 MB")
        #expect(SyncProgress.bar(5_000_000, 10_000_000) == "[##########..........] 5.0 of 10.0 MB")
        #expect(SyncProgress.bar(30_000_000, 10_000_000) == "[####################] 30.0 of 10.0 MB")
        #expect(SyncProgress.bar(1_250_000, nil) == "1.2 MB")
        #expect(SyncProgress.bar(0, 0) == "0.0 MB")
    }

    @Test func ages() {
        func age(_ seconds: Int64) -> String {
            InstrumentTexts.age(since: 1_700_000_000 - seconds, now: Date(timeIntervalSince1970: 1_700_000_000))
        }
        #expect(age(0) == "a minute")
        #expect(age(-500) == "a minute", "a clock that was set back")
        #expect(age(150) == "2 minutes")
        #expect(age(7200) == "2 hours")
        #expect(age(200_000) == "2 days")
    }
}
