import Foundation
import TestSupport
import Testing

@testable import feedhost

/// Expectations written down from python-dotenv 1.x itself, by running it on the same texts.
struct DotEnvTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let values: [String: String?]
        let invalid: Int
        init(_ text: String, _ values: [String: String?], invalid: Int = 0) {
            self.text = text
            self.values = values
            self.invalid = invalid
        }
        var testDescription: String { text.debugDescription }
    }

    static let cases: [Case] = [
        Case("KEY=value", ["KEY": "value"]),
        Case("KEY = 'v'", ["KEY": "v"]),
        Case("KEY='v'  # comment", ["KEY": "v"]),
        Case("KEY=\"it's\"", ["KEY": "it's"]),
        Case("KEY=", ["KEY": ""]),
        Case("KEY", ["KEY": nil]),
        Case("KEY=''", ["KEY": ""]),
        Case("export KEY=1", ["KEY": "1"]),
        Case("export KEY", ["KEY": nil]),
        Case("export=1", ["export": "1"]),
        Case("A=1\r\nB='x\r\ny'\r\nC=3", ["A": "1", "B": "x\ny", "C": "3"]),
        Case("A=1\rB=2", ["A": "1", "B": "2"]),
        Case("KEY= # c", ["KEY": "# c"]),
        Case("KEY=1#2", ["KEY": "1#2"]),
        Case("KEY=1 #2", ["KEY": "1"]),
        Case("KEY=a b\t# c", ["KEY": "a b"]),
        Case("KEY='a\\'b\\\\c\\n'", ["KEY": "a'b\\c\\n"]),
        Case("KEY='C:\\dir\\'", ["KEY": "C:\\dir\\"]),
        Case("KEY=\"x\\ty\\n\\\"\\\\\\q\"", ["KEY": "x\ty\n\"\\\\q"]),
        Case("KEY=\"x\ny\"\nB=2", ["KEY": "x\ny", "B": "2"]),
        Case("'Q K'=1", ["Q K": "1"]),
        Case("KEY=\"a\" junk\nB=1", ["B": "1"], invalid: 1),
        Case("=1\nB=2", ["B": "2"], invalid: 1),
        Case("KEY='open\nB=2", ["B": "2"], invalid: 1),
        Case("  # only a comment", [:]),
        Case("A=b\nA=c${A}", ["A": "cb"]),
        Case("A\nB=${A:-d}", ["A": nil, "B": ""]),
        Case("B=${OUT}-${NONE}-${NONE:-def}-${EMPTY:-x}", ["B": "outer--def-"]),
        Case("B='${OUT}'", ["B": "outer"]),
        Case("B=${OUT:x} $OUT ${", ["B": "${OUT:x} $OUT ${"]),
        Case("OUT=inner\nB=${OUT}", ["OUT": "inner", "B": "outer"]),
        Case("B=\u{A0}x\u{A0}#y", ["B": "x"]),
        Case("日本=東京", ["日本": "東京"]),
        Case("KEY=\"\"\"", [:], invalid: 1),
        Case("A==b=c", ["A": "=b=c"]),
        Case("A=1\n\n\n  B=2  \n", ["A": "1", "B": "2"]),
    ]

    @Test(arguments: cases) func readsAsPythonDoes(_ example: Case) {
        let file = DotEnv(example.text)
        let values = file.values(environment: ["OUT": "outer", "EMPTY": ""]).mapValues(\.value)
        #expect(values == example.values)
        #expect(file.invalidLines.count == example.invalid)
    }

    @Test func byteOrderMarkIsNoPartOfTheName() {
        #expect(DotEnv("\u{FEFF}KEY=1").entries == [DotEnv.Entry(name: "KEY", value: "1", line: 1)])
    }

    @Test func linesAreThoseOfTheNames() {
        let file = DotEnv("\n# c\nA=1\r\n\r\nB='x\r\ny'\r\nC=3\n=bad\nD=4")
        #expect(file.entries.map(\.line) == [3, 5, 7, 9])
        #expect(file.invalidLines == [8])
    }

    /// `FEEDHOST_FUZZ` is how many texts; `FEEDHOST_FUZZ_SEED` repeats a run.
    @Test func anyTextIsReadToItsEnd() {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["FEEDHOST_FUZZ_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
        let count = environment["FEEDHOST_FUZZ"].flatMap { Int($0) } ?? 3_000
        print(".env files: FEEDHOST_FUZZ_SEED=\(seed)")
        var random = SeededNumbers(seed: seed)
        let pieces = [
            "A", "KEY", "export ", "=", "'", "\"", "\\", "\\'", "\n", "\r\n", "\r", " ", "\t", "#", "${", "}", ":-",
            "${A}", "é",
            "\u{0}", "\u{2028}", "\u{1F600}", "value",
        ]
        for _ in 0..<count {
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            let file = DotEnv(text)
            let lines = text.unicodeScalars.filter { $0 == "\n" || $0 == "\r" }.count + 1
            let seen = file.entries.map(\.line)
            #expect(
                seen == seen.sorted() && seen.allSatisfy { (1...lines).contains($0) },
                "seed \(seed): \(text.debugDescription)")
            #expect(file.entries.allSatisfy { !$0.name.isEmpty }, "seed \(seed): \(text.debugDescription)")
            #expect(Set(file.values(environment: [:]).keys) == Set(file.entries.map(\.name)), "seed \(seed)")
        }
    }

    @Test func whatIsQuotedComesBack() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("DotEnv round trip seed: \(seed)")
        var random = SeededNumbers(seed: seed)
        let letters: [Character] = ["a", "'", "\"", "\\", "\n", "\t", " ", "#", "=", "é", "$"]
        for _ in 0..<2000 {
            let value = String(
                (0..<Int.random(in: 0...12, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
            var quoted = ""
            for letter in value {
                quoted += ["\\": "\\\\", "\"": "\\\"", "\n": "\\n", "\t": "\\t"][letter] ?? String(letter)
            }
            let file = DotEnv("A=1\nKEY=\"\(quoted)\" # c\nB=2")
            // A backslash before the closing quote escapes it for python-dotenv, however many there are.
            guard !value.hasSuffix("\\") else { continue }
            #expect(file.entries.map(\.value) == ["1", value, "2"], "seed \(seed): \(value.debugDescription)")
        }
    }
}
