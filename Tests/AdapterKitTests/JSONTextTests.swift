import AdapterKit
import Testing

@Suite struct JSONTextTests {
    private func read<Result>(_ text: String, _ body: (JSONText) -> Result) -> Result {
        var text = text
        return text.withUTF8 { body(JSONText(Bytes($0))) }
    }

    @Test(arguments: [
        (#""a b""#, "a b"), (#""""#, ""), ("12.50", "12.50"), ("null", ""), ("true", "true"), (#""null""#, "null"),
        ("", ""),
        (#""cut off"#, "cut off"), (#"""#, ""), ("{\"a\":1}", "{\"a\":1}"),
    ])
    func findsTheContent(value: String, content: String) {
        #expect(read(value) { String($0.content) } == content)
        #expect(read(value) { $0.string } == content)
    }

    @Test func nothingIsEmpty() {
        #expect(JSONText(nil).content.isEmpty && JSONText(nil).string == "")
    }

    @Test(arguments: [
        (#"\"\\\/"#, "\"\\/"), (#"\n\t\r\b\f"#, "\n\t\r\u{8}\u{C}"), (#"\u20b9 5"#, "₹ 5"), (#"\u20B9"#, "₹"),
        (#"\ud83d\ude42!"#, "🙂!"), ("₹ \\u0041", "₹ A"), (#"\ud83d"#, "\u{FFFD}"), (#"\ude42x"#, "\u{FFFD}x"),
        (#"\u12"#, #"\u12"#), (#"\u+123"#, #"\u+123"#), (#"\uXYZW"#, #"\uXYZW"#), (#"\x"#, #"\x"#), (#"a\"#, #"a\"#),
        (#"\\u0041"#, #"\u0041"#),
    ])
    func undoesEscapes(content: String, expected: String) {
        #expect(read("\"\(content) \"") { $0.string } == expected + " ")
    }

    @Test func whatIsNoUTF8IsReplaced() {
        let bytes: [UInt8] = [0x22, 0xFF, 0x5C, 0x6E, 0x22]
        #expect(bytes.withUnsafeBufferPointer { JSONText(Bytes($0)).string } == "\u{FFFD}\n")
    }

    @Test func aLineHasNoControlCharacters() {
        #expect(read(#""a\nb\u0000c\u001f₹ \r\n""#) { $0.line } == "a b c ₹   ")
        #expect(read(#""plain \u20b9""#) { $0.line } == "plain ₹")
    }

    @Test(arguments: ["", "plain ₹ 🙂", "\"\\/", "\u{0}\u{1F}\n\t", "\u{7F}\u{80}"])
    func quotesWhatItCanRead(text: String) {
        let quoted = JSONText.quoted(text)
        #expect(read(quoted) { $0.string } == text)
        #expect(quoted.utf8.allSatisfy { $0 >= 0x20 })
    }
}
