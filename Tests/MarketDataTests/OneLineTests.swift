import MarketData
import Testing

/// Text that outsiders have sent, as one line: bounded, and nothing in it that a terminal obeys.
@Suite struct OneLineTests {
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
}
