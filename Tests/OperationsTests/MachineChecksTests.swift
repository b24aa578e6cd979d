import Testing

@testable import Operations

@Suite("What doctor makes of clocks and disks")
struct MachineChecksTests {
    @Test(
        "A clock that cannot be right",
        arguments: [
            (0, false), (1_700_000_000, false), (1_735_689_599, false), (1_735_689_600, true), (1_796_000_000, true),
            (4_102_444_799, true), (4_102_444_800, false), (253_402_300_800, false), (-1, false),
        ] as [(Int64, Bool)])
    func absurdYears(now: Int64, isRight: Bool) {
        #expect((ClockCheck.trouble(now: now, stamps: []) == nil) == isRight)
    }

    @Test("Stamps of the future: five minutes are forgiven, and the newest is named")
    func stamps() throws {
        let now: Int64 = 1_796_000_000
        #expect(ClockCheck.trouble(now: now, stamps: [("a", now - 9), ("b", now + 300)]) == nil)
        let trouble = try #require(
            ClockCheck.trouble(now: now, stamps: [("a", now + 301), ("b", now + 900), ("c", now - 9)]))
        #expect(trouble.hasPrefix("b was written at 2026-11-30T01:08:20Z, and the clock says 2026-11-30T00:53:20Z"))
    }

    @Test("A pseudo file system has no room to speak of, and is no trouble")
    func unknown() {
        #expect(DiskSpace.at("/proc") == nil)
        #expect(DiskSpace.at("/no/such/folder/at/all")?.device == DiskSpace.at("/")?.device)
    }
}
