import MarketData
import NIOCore
import Testing

@testable import StreamProxy

/// Limits as clients meet them, behind a reverse proxy that names them.
@Suite(.timeLimit(.minutes(1))) struct ClientLimitTests {
    private func with(
        _ change: @escaping (inout ProxyLimits) -> Void, _ body: (House) async throws -> Void
    ) async throws {
        let local = try #require(AddressRange("127.0.0.1"))
        try await House.with(
            { configuration in
                configuration.trustedProxies = [local]
                change(&configuration.limits)
            }, body)
    }

    private func from(_ address: String) -> String { "X-Forwarded-For: 9.9.9.9, \(address)\r\n" }

    @Test func connectionsOfAnAddress() async throws {
        try await with({ $0.connectionsPerAddress = 2 }) { house in
            let first = try await house.connect(headers: from("192.0.2.1"))
            _ = try await house.connect(headers: from("192.0.2.1"))
            let third = try await house.connect(headers: from("192.0.2.1"))
            #expect(third.head.hasPrefix("HTTP/1.1 429 Too Many Requests\r\n"))
            #expect(third.head.range(of: "Retry-After: 5") != nil)
            let other = try await house.connect(headers: from("192.0.2.2"))
            #expect(other.head.hasPrefix("HTTP/1.1 101 "))
            await first.close()
            while house.proxy.counters.snapshot().clients > 2 { await Task.yield() }
            let again = try await house.connect(headers: from("192.0.2.1"))
            #expect(again.head.hasPrefix("HTTP/1.1 101 "))
            #expect(house.proxy.counters.snapshot().addressesLimited == 1)
        }
    }

    @Test func socketsWithoutAKey() async throws {
        try await with({ $0.unauthenticatedPerAddress = 1 }) { house in
            let first = try await house.connect(headers: from("192.0.2.1"))
            #expect(try await house.connect(headers: from("192.0.2.1")).head.hasPrefix("HTTP/1.1 429 "))
            // With a key it no longer counts.
            _ = try await first.reply(to: #"{"action":"authenticate","api_key":"key-alice"}"#)
            #expect(try await house.connect(headers: from("192.0.2.1")).head.hasPrefix("HTTP/1.1 101 "))
            #expect(house.proxy.counters.snapshot().unauthenticatedLimited == 1)
        }
    }

    @Test func socketsWithoutAKeyOfEverybody() async throws {
        try await House.with({ $0.limits.unauthenticated = 1 }) { house in
            let first = try await house.connect()
            // Before it has asked anything.
            let answer = try await WireClient.exchange(port: house.proxy.port, "")
            #expect(answer.hasPrefix("HTTP/1.1 429 ") && answer.hasSuffix("Try again in a few seconds.\n"))
            _ = try await first.reply(to: #"{"action":"authenticate","api_key":"key-alice"}"#)
            #expect(try await house.connect().head.hasPrefix("HTTP/1.1 101 "))
        }
    }

    @Test func withoutAKeyMessagesAreShort() async throws {
        try await House.with { house in
            func ping(_ length: Int) -> String {
                #"{"action":"ping","_pingId":"\#(String(repeating: "x", count: length))"}"#
            }
            let stranger = try await house.connect()
            #expect(try await stranger.reply(to: ping(60_000))["type"] == "pong")
            try await stranger.send(ping(70_000))
            #expect(try await stranger.closeFrame().code == 1009)
            // Behind a key they may be long, also while it is looked at.
            let client = try await house.connect()
            let key = #"{"action":"authenticate","api_key":"key-alice"}"#
            try await client.send(
                frame: WireClient.frame(.text, Array(key.utf8)) + WireClient.frame(.text, Array(ping(1_000_000).utf8)))
            #expect(try await client.json()["status"] == "success")
            #expect(try await client.json()["type"] == "pong")
            #expect(try await client.reply(to: ping(1_000_000))["type"] == "pong")
        }
    }

    @Test func wrongKeysSlowTheirAddressAndNobodyElse() async throws {
        // One comes back in 20 s: on no machine while this runs.
        try await with({
            $0.failedAuthentications = 3
            $0.longestHold = .milliseconds(300)
        }) { house in
            let alice = try await house.client(headers: from("192.0.2.1"))
            let attacker = try await house.connect(headers: from("192.0.2.1"))
            for _ in 0..<3 {
                let reply = try await attacker.reply(to: #"{"action":"authenticate","api_key":"no"}"#)
                #expect(reply["code"] == "AUTHENTICATION_ERROR")
            }
            let start = NIODeadline.now()
            let put = try await attacker.reply(to: #"{"action":"authenticate","api_key":"no","request_id":7}"#)
            #expect(put["code"] == "RATE_LIMITED" && put["request_id"] == .int(7))
            #expect(NIODeadline.now() - start >= .milliseconds(300), "the answer waits too")
            // Another address, and a key that was right before from the same one.
            _ = try await house.client(key: "key-bob", headers: from("192.0.2.2"))
            _ = try await house.client(headers: from("192.0.2.1"))
            #expect(try await alice.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
            #expect(house.proxy.counters.snapshot().authenticationsLimited >= 1)
            #expect(house.proxy.counters.snapshot().authFailures == 3)
        }
    }

    @Test func connectionsOfAUser() async throws {
        try await with({ $0.connectionsPerUser = 1 }) { house in
            let first = try await house.client()
            let second = try await house.connect()
            let reply = try await second.reply(to: #"{"action":"authenticate","api_key":"key-alice-2","request_id":1}"#)
            #expect(reply["code"] == "RATE_LIMITED" && reply["request_id"] == .int(1))
            let close = try await second.closeFrame()
            #expect(close.code == 4429 && close.reason == "too many connections of this user")
            await first.close()
            await second.close()
            while house.proxy.counters.snapshot().clients > 0 { await Task.yield() }
            _ = try await house.client(key: "key-alice-2")
        }
    }

    @Test func requestsOfAClient() async throws {
        try await with({ $0.requests = 1 }) { house in
            let client = try await house.connect()
            for _ in 0..<100 { try await client.send(#"{"action":"ping","request_id":1}"#) }
            var codes: [String: Int] = [:]
            while true {
                let frame = try await client.next()
                if frame.opcode == Opcode.close.rawValue {
                    #expect(frame.code == 4429 && frame.reason == "too many requests")
                    break
                }
                let reply = try json(frame.text)
                #expect(reply["request_id"] == .int(1))
                codes[reply["code"]?.string ?? "ok", default: 0] += 1
            }
            #expect(codes["ok", default: 0] >= 10 && codes["RATE_LIMITED", default: 0] >= 10)
        }
    }

    @Test func instrumentsOfAClient() async throws {
        try await with({ $0.instruments = 2 }) { house in
            let client = try await house.client()
            func subscribe(_ names: String...) async throws -> JSONValue {
                let symbols = names.map { #"{"symbol":"\#($0)","exchange":"NSE"}"# }.joined(separator: ",")
                return try await client.reply(to: #"{"action":"subscribe","mode":1,"symbols":[\#(symbols)]}"#)
            }
            #expect(try await outcomes(subscribe("A")) == [nil])
            // Each by itself: those that fit are subscribed.
            let full = "One client may hold 2 instruments (1 held, 1 more in this request); unsubscribe some first"
            #expect(try await outcomes(subscribe("A", "B", "C", "B", "D")) == [nil, nil, full, nil, full])
            #expect(house.bus.interest.count == 2)
            #expect(try await subscribe("A", "B", "B")["status"] == "success", "no more than before")
            let reply = try await subscribe("C")
            #expect(reply["status"] == "partial" && reply["type"] == "subscribe")
            #expect(
                outcomes(reply) == ["One client may hold 2 instruments (2 held); unsubscribe some first"])
            #expect(entries(reply).first?["code"] == "MAX_CAPACITY_REACHED")
            #expect(house.proxy.counters.snapshot().instrumentsLimited == 2)
            _ = try await client.reply(to: #"{"action":"unsubscribe","symbol":"A","exchange":"NSE"}"#)
            #expect(try await subscribe("C")["status"] == "success")
        }
    }

    @Test func subscriptionsOfAClient() async throws {
        try await House.with({ $0.limits.subscriptions = 1 }) { house in
            let client = try await house.client()
            func subscribe(_ count: Int, from first: Int) async throws -> JSONValue {
                let symbols = (first..<first + count).map { #"{"symbol":"S\#($0)","exchange":"NSE"}"# }
                return try await client.reply(
                    to: #"{"action":"subscribe","mode":1,"symbols":[\#(symbols.joined(separator: ","))]}"#)
            }
            // The burst is ten; a token or two may come back on the way.
            let reply = try await subscribe(200, from: 0)
            let refused = outcomes(reply).compactMap(\.self)
            #expect(reply["status"] == "partial" && (1...190).contains(refused.count))
            #expect(outcomes(reply).prefix(10) == Array(repeating: nil, count: 10)[...])
            #expect(entries(reply).last?["code"] == "RATE_LIMITED")
            #expect(
                refused.allSatisfy {
                    $0.hasPrefix("More than 1 instruments a second on this connection (")
                        && $0.contains(" of these 200 were in time); try again in 10 seconds")
                })
            #expect(house.bus.interest.count == 200 - refused.count)
            // The rest of the connection is not touched.
            #expect(try await client.reply(to: #"{"action":"ping"}"#)["type"] == "pong")
        }
    }

    /// What is not permitted takes no room, and is refused in its own words.
    @Test func theKeysNumberOfInstruments() async throws {
        try await House.with({ $0.limits.instruments = 4 }) { house in
            house.directory.add(
                "key",
                Account(
                    user: "alice", broker: "zerodha", keyID: 9,
                    permissions: Permissions(symbols: ["A*"], maxInstruments: 2)))
            let client = try await house.client(key: "key")
            let names = ["B1", "A1", "B2", "A2", "A1:20", "A3", "B3"]
            let symbols = names.map { #"{"symbol":"\#($0)","exchange":"NSE"}"# }.joined(separator: ",")
            let reply = try await client.reply(to: #"{"action":"subscribe","mode":3,"symbols":[\#(symbols)]}"#)
            let (not, full) = (
                "Not permitted by this API key",
                "This API key permits 2 instruments at a time (0 held, 2 more in this request); unsubscribe some first"
            )
            #expect(outcomes(reply) == [not, nil, not, nil, nil, full, not])
        }
    }

    /// The messages of the entries, nil for those that were granted.
    private func outcomes(_ reply: JSONValue) -> [String?] {
        entries(reply).map { $0["status"] == "success" ? nil : $0["message"]?.string ?? "none" }
    }

    private func entries(_ reply: JSONValue) -> [JSONValue] {
        if case .array(let entries) = reply["subscriptions"] { entries } else { [] }
    }

    @Test func pagesFromElsewhere() async throws {
        let rule = try #require(OriginRule("https://trade.example.com"))
        try await House.with({ $0.origins = [rule] }) { house in
            let refused = try await house.connect(headers: "Origin: https://evil.example\r\n")
            #expect(refused.head.hasPrefix("HTTP/1.1 403 Forbidden\r\n"))
            let page = try await house.connect(headers: "Origin: https://trade.example.com\r\n")
            #expect(page.head.hasPrefix("HTTP/1.1 101 "))
            #expect(try await house.connect().head.hasPrefix("HTTP/1.1 101 "), "programs send no Origin")
            #expect(house.proxy.counters.snapshot().originsRefused == 1)
        }
    }
}
