import TestSupport
import Testing

@testable import MarketData

@Suite struct JSONCheckTests {
    private func isObject(_ text: String) -> Bool { Array(text.utf8).withUnsafeBytes { JSONCheck.isObject($0) } }

    @Test(arguments: [
        "{}", " {\"ltp\": 1400.5, \"a\":[1,-2.5e+3,true,null,\"\\u00e9\\n\"]} ", "{\"a\":{\"b\":[]}}", "{\"é\":0}",
    ])
    func takesObjects(text: String) { #expect(isObject(text)) }

    @Test(arguments: [
        "", "nope", "[]", "1", "{", "{}}", "{\"a\"}", "{\"a\":}", "{\"a\":01}", "{\"a\":1,}", "{'a':1}", "{\"a\":NaN}",
        "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}", "{\"a\":1.}", "{\"a\":tru}", "{} {}",
    ])
    func refusesTheRest(text: String) { #expect(!isObject(text)) }

    @Test(
        arguments: [
            ("{\"user_id\":\"eve\"}", "eve"), (" { \"a\" : {\"user_id\":\"no\"}, \"user_id\" : \"bob_k\" } ", "bob_k"),
            ("{\"user_id\":7}", nil), ("{\"user_id\":\"a\\u0062\"}", "ab"), ("{}", nil), ("{\"user_id\":", nil),
            ("[]", nil),
        ] as [(String, String?)])
    func readsOneText(json: String, text: String?) {
        #expect(Array(json.utf8).withUnsafeBytes { JSONCheck.text(of: "user_id", in: $0) } == text)
    }

    @Test func refusesBadUTF8AndDeepNesting() {
        #expect(![UInt8]([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D]).withUnsafeBytes { JSONCheck.isObject($0) })
        #expect(!isObject(String(repeating: "{\"a\":", count: 10_000)))
        #expect(!isObject("{\"a\":" + String(repeating: "[", count: 10_000)))
    }

    /// Any bytes: no crash, no endless loop. What is accepted must be what a strict parser accepts; here: it is balanced.
    @Test func mutatedMessages() {
        let seed = UInt64.random(in: 0 ... .max)
        print("JSONCheck mutations, seed \(seed)")
        var random = SeededNumbers(seed: seed)
        let sample = Array("{\"ltp\": 1400.5, \"ltt\": 1, \"depth\": {\"buy\": [{\"price\": 1}], \"sell\": []}}".utf8)
        for _ in 0..<50_000 {
            var bytes = sample
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            if bytes.withUnsafeBytes({ JSONCheck.isObject($0) }) {
                #expect(bytes.contains(UInt8(ascii: "{")) && bytes.contains(UInt8(ascii: "}")))
            }
        }
    }
}
