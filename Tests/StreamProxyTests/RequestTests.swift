import MarketData
import NIOCore
import Testing

@testable import StreamProxy

@Suite(.timeLimit(.minutes(1))) struct RequestTests {
    @Test(arguments: [
        ("0", "0"), ("-0.5e+3", "-0.5e+3"), ("12345678901234567890123", "12345678901234567890123"),
        (" [1, 2.0 ,\t3e1]\n", "[1,2.0,3e1]"), (#"{"b":1,"a":[{}]}"#, #"{"b":1,"a":[{}]}"#),
        (#""\u0041\n\"\\\/\ud83d\ude00é""#, #""A\n\"\\/😀é""#), (#""\ud83d""#, "\"\u{FFFD}\""),
        (#""\ud83d\u0041""#, "\"\u{FFFD}A\""), (#""\u0001""#, #""\u0001""#), ("true", "true"), ("null", "null"),
    ]) func jsonComesBackAsItWas(text: String, written: String) throws {
        #expect(String(buffer: try json(text).jsonBytes) == written)
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "01", "1.", ".5", "-", "1e",
        "+1",
        "tru", "nul", "NaN", "Infinity", "\"", "\"\\x\"", "\"\\u12\"", "\"a\nb\"", "1 2", "[1] x", "'a'", "\u{FEFF}1",
    ]) func brokenJSONIsRefused(text: String) {
        #expect(throws: JSONParser.Failure.self) { try json(text) }
    }

    @Test func nestingIsBounded() throws {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            let deep = String(repeating: open, count: 10_000)
            #expect(throws: JSONParser.Failure.self) { try json(deep) }
            #expect(throws: JSONParser.Failure.self) { try json(deep + "1" + String(repeating: close, count: 10_000)) }
            _ = try json(String(repeating: open, count: 60) + "1" + String(repeating: close, count: 60))
        }
    }

    @Test(arguments: [
        ("RELIANCE", 7, "RELIANCE", 7, false), ("RELIANCE:20", 7, "RELIANCE", 20, true), ("A:B:50", 7, "A:B", 50, true),
        ("A:0", 7, "A:0", 7, false), ("A:", 7, "A:", 7, false), ("A:-5", 7, "A:-5", 7, false),
        (":5", 7, ":5", 7, false),
        ("A:99999999999999999999", 7, "A:99999999999999999999", 7, false), ("A:x", 7, "A:x", 7, false),
        ("A:99999999", 7, "A", 65535, true),
    ]) func suffixes(written: String, depth: Int, symbol: String, levels: Int, suffixed: Bool) throws {
        let request = try SubscribeRequest(
            json(#"{"symbol":"\#(written)","exchange":"NSE","depth":\#(depth),"depth_level":30}"#))
        let wish = try request.wish(Instrument(exchange: "NSE", symbol: written))
        #expect(wish.instrument.symbol == symbol && wish.depth == levels && wish.suffixed == suffixed)
    }

    @Test func depthFields() throws {
        func depth(_ more: String) throws -> Int {
            try SubscribeRequest(json(#"{"symbol":"A","exchange":"NSE"\#(more)}"#)).depth
        }
        #expect(try depth("") == 5)
        #expect(try depth(#","depth_level":20"#) == 20)
        #expect(try depth(#","depth":30,"depth_level":20"#) == 30)
        #expect(try depth(#","depth":null,"depth_level":20"#) == 20)
        #expect(try depth(#","depth":0"#) == 5)
        #expect(try depth(#","depth":"20""#) == 20)
        #expect(try depth(#","depth":"0","depth_level":"20""#) == 20)
        #expect(try depth(#","depth":"""#) == 5)
        for bad in [#""2 0""#, #""x""#, #""-1""#, "20.0", "-1", "true", "[]", "{}"] {
            #expect(throws: Rejection.self) { try depth(#","depth":\#(bad)"#) }
        }
    }

    /// In a list the entry fails; the one instrument that a request names itself is an error frame, as with OpenAlgo.
    @Test(arguments: [
        ("9", "Invalid mode 9; expected 1 (LTP), 2 (Quote), or 3 (Depth)"),
        (#""1""#, "Invalid mode '1'; expected 'LTP', 'Quote', or 'Depth' (case-insensitive)"),
        ("null", "Mode must be int or str, got NoneType"), ("true", "Mode must be int or str, got bool"),
    ]) func unsubscribeWithABadMode(mode: String, message: String) async throws {
        try await House.with { house in
            let client = try await house.client()
            _ = try await client.reply(to: #"{"action":"subscribe","symbol":"A","exchange":"NSE","mode":1}"#)
            let single = try await client.reply(
                to: #"{"action":"unsubscribe","symbol":"A","exchange":"NSE","mode":\#(mode)}"#)
            #expect(single["type"] == nil && single["code"] == "INVALID_MODE" && single["message"] == .string(message))
            let list = try await client.reply(
                to: #"{"action":"unsubscribe","symbols":[{"symbol":"A","exchange":"NSE","mode":\#(mode)}]}"#)
            #expect(list["type"] == "unsubscribe" && list["status"] == "error")
            #expect(house.bus.interest.count == 1)
        }
    }

    @Test func everyFieldOfEveryWrongTypeGetsAnAnswer() async throws {
        try await House.with { house in
            let client = try await house.client()
            let values = [
                "null", "true", "0", "1", "1.5", #""x""#, #""""#, "[]", "[1]", "[null]", "[[]]", "{}", #"{"a":1}"#,
            ]
            let actions = [
                "authenticate", "subscribe", "unsubscribe", "unsubscribe_all", "subscribe_orders", "get_broker_info",
            ]
            let fields = [
                "action", "type", "api_key", "apikey", "symbols", "symbol", "exchange", "mode", "depth", "depth_level",
                "unsubscribe_all", "request_id",
            ]
            for action in actions {
                for field in fields {
                    for value in values {
                        let rest = field == "symbol" ? #","exchange":"NSE""# : #","symbol":"A","exchange":"NSE""#
                        let reply = try await client.reply(
                            to: #"{"action":"\#(action)"\#(rest),"\#(field)":\#(value)}"#)
                        #expect(
                            ["success", "error", "partial"].contains(reply["status"]), "\(action) \(field) \(value)")
                        if field == "request_id" {
                            let echo = try json(value)
                            #expect(reply["request_id"] == echo)
                        }
                    }
                }
            }
        }
    }

    @Test func requestsAreServedInOrderWhileAuthenticationWaits() async throws {
        try await House.with { house in
            let client = try await house.connect()
            house.directory.gate.close()
            try await client.send(#"{"action":"auth","api_key":"key-alice","request_id":0}"#)
            await house.directory.gate.arrival()
            // More than may wait: the rest stays in the socket until these are served.
            for number in 1...600 {
                let text =
                    number % 2 == 0
                    ? #"{"action":"ping","request_id":\#(number)}"#
                    : #"{"action":"subscribe","symbol":"S\#(number)","exchange":"NSE","request_id":\#(number)}"#
                try await client.send(text)
            }
            house.directory.gate.open()
            for number in 0...600 {
                let reply = try await client.json()
                #expect(reply["request_id"] == .int(number) && reply["status"] == "success")
            }
        }
    }

    @Test func aMegabyteOfSymbols() async throws {
        try await House.with { house in
            let client = try await house.client()
            let entries = (0..<20_000).map { #"{"symbol":"S\#($0)","exchange":"NSE"}"# }.joined(separator: ",")
            try await client.send(#"{"action":"subscribe","symbols":[\#(entries)],"request_id":[1]}"#)
            let reply = try await client.json()
            #expect(reply["status"] == "success")
            #expect(reply["request_id"] == .array([.int(1)]))
            guard case .array(let list) = try #require(reply["subscriptions"]) else { return }
            #expect(list.count == 20_000)
            let all = try await client.reply(to: #"{"action":"unsubscribe_all"}"#)
            guard case .array(let left) = try #require(all["successful"]) else { return }
            #expect(left.count == 20_000)
            #expect(house.bus.interest.isEmpty)
        }
    }
}
