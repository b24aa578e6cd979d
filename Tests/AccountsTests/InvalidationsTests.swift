import Accounts
import Logging
import Synchronization
import TestSupport
import Testing

/// Lines that outsiders can cause by naming users on the bus: bounded.
@Suite struct InvalidationsTests {
    private struct Lines: LogHandler {
        let written: Journal
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { written.lines.withLock { $0.append("\(event.message)") } }
    }

    private final class Journal: Sendable {
        let lines = Mutex<[String]>([])
    }

    @Test func aFloodOfInvalidationsIsAFewLinesAndOneLook() async throws {
        let journal = Journal()
        let invalidations = Invalidations(Logger(label: "test") { _ in Lines(written: journal) })
        // One user, all the time; then more names than there can be.
        for _ in 0..<50_000 { invalidations.tell("anna", now: 1_000_000_000) }
        #expect(journal.lines.withLock { $0.count } == 1)
        #expect(invalidations.take() == ["anna"])
        for number in 0..<50_000 { invalidations.tell("nobody\(number)", now: 1_000_000_000) }
        #expect(journal.lines.withLock { $0.count } == 100)
        #expect(invalidations.take().count == Invalidations.most)
        var signals = invalidations.signals.makeAsyncIterator()
        #expect(await signals.next() != nil)
        // Whoever is told afterwards waits again, with the number of lines that were left out.
        invalidations.tell("anna", now: 2_000_000_000)
        #expect(await signals.next() != nil && invalidations.take() == ["anna"])
        #expect(journal.lines.withLock { $0.last?.contains("lines before this one were left out") } == true)
    }
}
