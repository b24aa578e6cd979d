import AdapterKit
import AdapterTestKit
import Testing

/// `#expect` cannot call what mutates; this takes the outcome.
private func expect(_ condition: Bool, _ location: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: location)
}

@Suite struct JSONScannerTests {
    private func scan<R>(_ text: String, _ body: (inout JSONScanner) -> R) -> R {
        scan(Array(text.utf8), body)
    }

    private func scan<R>(_ bytes: [UInt8], _ body: (inout JSONScanner) -> R) -> R {
        bytes.withUnsafeBufferPointer { buffer in
            var json = JSONScanner(Bytes(buffer))
            return body(&json)
        }
    }

    private func isValue(_ text: String) -> Bool {
        scan(text) { json in
            json.skipValue()
            return json.isFinished
        }
    }

    @Test(arguments: [
        "{}", "[]", "0", "\"\"", "true", "false", "null", " [ 1 , 2 ] ", "{\"a\":{\"b\":[{},[]]}}", "\"\\\"\"",
        "\"\\\\\"",
        "[\"}\"]", "{\"a\\\"b\":1}", "\n{\t\"a\" : -1.5e-3 }\r", "[[[]],{}]", "\"\u{1F600}\"",
    ])
    func passesOverWholeValues(text: String) {
        #expect(isValue(text))
    }

    @Test(arguments: [
        "", " ", "{", "[", "\"", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "[1,",
        "[1,]", "[,1]",
        "{]", "[}", "[1 2]", "{\"a\" 1}", "{1:2}", "tru", "truth", "nul", "\"\\", "\"\\\"", "[1]]", "1 2", "{\"a\":1}}",
        "\u{0}", "\"\n\"", "{\"a\":1 \"b\":2}", "[\"a\":1]", "{,}", "'a'", "[{]}",
    ])
    func refusesWhatIsNoJSON(text: String) {
        #expect(!isValue(text))
    }

    @Test func givesUpOnDeepNesting() {
        let limit = JSONScanner.maximumDepth
        #expect(isValue(String(repeating: "[", count: limit) + String(repeating: "]", count: limit)))
        #expect(!isValue(String(repeating: "[", count: limit + 1) + String(repeating: "]", count: limit + 1)))
        #expect(!isValue(String(repeating: "{\"a\":", count: 100_000)))
        #expect(!isValue(String(repeating: "[", count: 1_000_000)))
    }

    @Test func readsMembersInAnyOrder() {
        let text = #"{"skip":[1,{"x":"}"}],"price":"12.50","n":7,"ok":true,"none":null,"list":[1,2,3],"s":"a\"b"}"#
        scan(text) { json in
            var seen: [String] = []
            expect(json.enterObject())
            while let key = json.nextKey() {
                seen.append(String(key))
                if key == "price" {
                    expect(json.decimal(exponent: -2) == 1_250)
                } else if key == "n" {
                    expect(json.integer() == 7)
                } else if key == "ok" {
                    expect(json.boolean() == true)
                } else if key == "none" {
                    expect(json.takeNull())
                } else if key == "list" {
                    var sum: Int64 = 0
                    expect(json.enterArray())
                    while json.nextElement() { sum += json.integer() ?? 100 }
                    #expect(sum == 6)
                } else if key == "s" {
                    expect(json.string().map { String($0) } == #"a\"b"#)
                } else {
                    expect(json.skipValue().map { String($0) } == #"[1,{"x":"}"}]"#)
                }
            }
            expect(json.isFinished)
            #expect(seen == ["skip", "price", "n", "ok", "none", "list", "s"])
        }
    }

    @Test func staysBroken() {
        scan(#"{"a":x,"b":1}"#) { json in
            expect(json.enterObject())
            expect(json.nextKey().map { String($0) } == "a")
            expect(json.decimal(exponent: 0) == nil)
            expect(json.isBroken)
            expect(json.nextKey() == nil)
            expect(!json.enterArray())
            expect(!json.nextElement())
            expect(json.string() == nil)
            expect(json.skipValue() == nil)
            expect(!json.isFinished)
        }
    }

    @Test func answersWrongQuestionsWithNothing() {
        scan("[1]") { json in
            expect(!json.enterObject())
            expect(json.isBroken)
        }
        scan("1") { json in expect(json.nextKey() == nil) }
        scan("1") { json in expect(!json.nextElement()) }
        scan("[]") { json in
            expect(json.enterArray())
            expect(json.nextKey() == nil)
            expect(json.isBroken)
        }
    }

    /// Every cut of a valid text has to be noticed, and none may read past its end.
    @Test func noticesEveryCut() {
        let text = Array(#"{"stream":"a@trade","data":{"p":"0.1","q":[1,-2.5e3,true,null,{"k":"\\\""}]}}"#.utf8)
        for length in 0..<text.count {
            let isWhole = scan(Array(text[..<length])) { json in
                json.skipValue()
                return json.isFinished
            }
            #expect(!isWhole, "cut to \(length)")
        }
    }

    @Test func survivesRandomBytes() {
        let seed = UInt64.random(in: 0 ... .max)
        print("JSON fuzz seed \(seed)")
        var random = SeededNumbers(seed: seed)
        let alphabet = Array(#"{}[]":,\0123456789-+.eEtruefalsnl "#.utf8) + [0, 9, 10, 0x80, 0xFF]
        for _ in 0..<100_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            scan(bytes) { json in
                json.skipValue()
                #expect(json.offset <= bytes.count)
                _ = json.isFinished
            }
        }
    }
}
