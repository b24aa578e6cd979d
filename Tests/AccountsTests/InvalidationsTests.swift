import Accounts
import Logging
import TestSupport
import Testing

/// Lines that outsiders can cause by naming users on the bus: bounded.
@Suite struct InvalidationsTests {
    @Test func aFloodOfInvalidationsIsAFewLinesAndOneLook() async throws {
        let lines = Journal<String>()
        let invalidations = Invalidations(Logger(label: "test") { _ in EventLog { lines.add("\($0.message)") } })
        // One user, all the time; then more names than there can be.
        for _ in 0..<50_000 { invalidations.tell("anna", now: 1_000_000_000) }
        #expect(lines.entries.count == 1)
        #expect(invalidations.take() == ["anna"])
        for number in 0..<50_000 { invalidations.tell("nobody\(number)", now: 1_000_000_000) }
        #expect(lines.entries.count == 100)
        #expect(invalidations.take().count == Invalidations.most)
        var signals = invalidations.signals.makeAsyncIterator()
        #expect(await signals.next() != nil)
        // Whoever is told afterwards waits again, with the number of lines that were left out.
        invalidations.tell("anna", now: 2_000_000_000)
        #expect(await signals.next() != nil && invalidations.take() == ["anna"])
        #expect(lines.entries.last?.contains("lines before this one were left out") == true)
    }
}
