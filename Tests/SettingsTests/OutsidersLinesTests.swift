import Logging
import MarketData
import Synchronization
import TestSupport
import Testing

@testable import feedhost

/// Lines that outsiders can cause: bounded, and nothing in them that a terminal obeys.
@Suite struct OutsidersLinesTests {
    @Test(arguments: [
        ("plain", "plain"), ("ünïcode 币安", "ünïcode 币安"), ("two\nlines", "two\\nlines"),
        ("\u{1b}[2J", "\\u{1b}[2J"), ("a\rb\tc\u{0}", "a\\u{d}b\\u{9}c\\u{0}"), ("\u{9b}31m", "\\u{9b}31m"),
        ("\u{7f}\u{2028}\u{2029}", "\\u{7f}\\u{2028}\\u{2029}"), ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
        ("\r\n", "\\u{d}\\n"), ("", ""),
    ])
    func nothingIsObeyed(text: String, line: String) { #expect(text.oneLine() == line) }

    @Test func longOnesAreCut() {
        #expect(String(repeating: "x", count: 100).oneLine(limit: 100).count == 100)
        #expect(String(repeating: "x", count: 101).oneLine(limit: 100).hasSuffix("x… (1 bytes more)"))
        #expect(String(repeating: "ü", count: 1_000_000).oneLine().utf8.count < 17_000)
    }

    @Test func everyLineOfTheLogIsClean() {
        for isJSON in [false, true] {
            let output = LogOutput(label: "test", level: .info, isJSON: isJSON)
            let line = output.written(.info, "user \u{1b}[31m\nfake line", ["address": "a\nb\u{9b}"], "now")
            #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) }, "\(line)")
            #expect(line.contains("fake line"))
        }
    }

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
