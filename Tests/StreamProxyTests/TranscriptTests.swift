import MarketData
import Testing

@testable import StreamProxy

/// The replies of OpenAlgo's own proxy, as recorded; ours must be equal in every member that it has.
@Suite(.timeLimit(.minutes(1))) struct TranscriptTests {
    /// Compares member for member; what ours has beside is allowed (`detail`, `code` of an entry).
    private func expect(
        _ actual: JSONValue, covers expected: JSONValue, _ location: SourceLocation = #_sourceLocation
    ) {
        switch (actual, expected) {
        case (.object, .object(let members)):
            for member in members {
                guard let value = actual[member.key] else {
                    Issue.record("\(member.key) is missing in \(actual)", sourceLocation: location)
                    continue
                }
                expect(value, covers: member.value, location)
            }
        case (.array(let values), .array(let others)) where values.count == others.count:
            for (value, other) in zip(values, others) { expect(value, covers: other, location) }
        default:
            #expect(actual == expected, sourceLocation: location)
        }
    }

    private func play(_ script: [(String, String)], _ client: WireClient) async throws {
        for (request, expected) in script {
            let reply = try await client.reply(to: request)
            expect(reply, covers: try json(expected))
        }
    }

    @Test func beforeAuthentication() async throws {
        try await House.with { house in
            let client = try await house.connect()
            let pong = try await client.reply(to: #"{"action": "ping", "timestamp": 123, "_pingId": "p1"}"#)
            expect(
                pong, covers: try json(#"{"type":"pong","status":"success","client_timestamp":123,"_pingId":"p1"}"#))
            #expect(try #require(pong["server_timestamp"]?.int) > 1_700_000_000_000)
            let bare = try await client.reply(to: #"{"action":"ping"}"#)
            #expect(bare["client_timestamp"] == nil && bare["_pingId"] == nil)
            try await play(
                [
                    (
                        #"{"action": "get_supported_brokers"}"#,
                        #"{"type":"supported_brokers","status":"success","brokers":["zerodha","angel","dhan"],"count":3}"#
                    ),
                    (
                        #"{"action": "subscribe", "symbol": "SBIN", "exchange": "NSE"}"#,
                        #"{"status":"error","code":"NOT_AUTHENTICATED","message":"You must authenticate first"}"#
                    ),
                    ("{nope", #"{"status":"error","code":"INVALID_JSON","message":"Invalid JSON message"}"#),
                    (
                        "[1]",
                        #"{"status":"error","code":"SERVER_ERROR","message":"'list' object has no attribute 'get'"}"#
                    ),
                    (#"{"x": 1}"#, #"{"status":"error","code":"INVALID_ACTION","message":"Invalid action: None"}"#),
                    (
                        #"{"action": "foo", "request_id": "r"}"#,
                        #"{"status":"error","code":"INVALID_ACTION","message":"Invalid action: foo","request_id":"r"}"#
                    ),
                    (
                        #"{"action": "authenticate"}"#,
                        #"{"status":"error","code":"AUTHENTICATION_ERROR","message":"API key is required"}"#
                    ),
                    (
                        #"{"action": "auth", "apikey": "zzz"}"#,
                        #"{"status":"error","code":"AUTHENTICATION_ERROR","message":"Invalid API key"}"#
                    ),
                    (
                        #"{"action": "authenticate", "api_key": "key-revoked"}"#,
                        #"{"status":"error","code":"BROKER_ERROR","message":"No broker configuration found for user"}"#
                    ),
                    (
                        #"{"action": "subscribe", "symbol": "SBIN", "exchange": "NSE"}"#,
                        #"{"status":"error","code":"BROKER_ERROR","message":"Broker adapter not found"}"#
                    ),
                ], client)
            #expect(try await client.reply(to: "{nope")["type"] == nil)
        }
    }

    @Test func authentication() async throws {
        try await House.with { house in
            let alice = try await house.connect()
            try await play(
                [
                    (
                        #"{"type": "auth", "apikey": "key-alice"}"#,
                        #"{"type":"auth","status":"success","message":"Authentication successful","broker":"zerodha","user_id":"alice","supported_features":{"ltp":true,"quote":true,"depth":true}}"#
                    ),
                    (
                        #"{"action": "get_broker_info"}"#,
                        #"{"type":"broker_info","status":"success","broker":"zerodha","adapter_status":"connected","user_id":"alice"}"#
                    ),
                ], alice)
            let bob = try await house.connect()
            try await play(
                [
                    (
                        #"{"action": "authenticate", "api_key": "key-bob"}"#,
                        #"{"type":"auth","status":"success","message":"Authentication successful","broker":"angel","user_id":"bob_k","supported_features":{"ltp":true,"quote":true,"depth":true}}"#
                    )
                ], bob)
        }
    }

    private static let subscribing: [(String, String)] = [
        (
            #"{"action": "subscribe", "symbol": "RELIANCE", "exchange": "NSE", "mode": 1, "request_id": "q1"}"#,
            #"{"type":"subscribe","status":"success","subscriptions":[{"symbol":"RELIANCE","exchange":"NSE","status":"success","mode":"LTP","depth":5,"broker":"zerodha"}],"message":"Subscription processing complete","broker":"zerodha","request_id":"q1"}"#
        ),
        (
            #"{"action": "subscribe", "symbols": [{"symbol": "SBIN", "exchange": "NSE"}, {"symbol": "BADSYM", "exchange": "NSE"}, {"symbol": "X"}], "mode": "quote", "depth": 50}"#,
            #"{"type":"subscribe","status":"partial","subscriptions":[{"symbol":"SBIN","exchange":"NSE","status":"success","mode":"Quote","depth":20,"broker":"zerodha"},{"symbol":"BADSYM","exchange":"NSE","status":"error","message":"Symbol BADSYM not found for exchange NSE","broker":"zerodha"}],"message":"Subscription processing complete","broker":"zerodha"}"#
        ),
        (
            #"{"action": "subscribe", "symbols": [{"symbol": "INFY", "exchange": "NSE"}], "mode": " depth ", "depth": 50}"#,
            #"{"type":"subscribe","status":"success","subscriptions":[{"symbol":"INFY","exchange":"NSE","status":"success","mode":"Depth","depth":20,"broker":"zerodha"}],"message":"Subscription processing complete","broker":"zerodha"}"#
        ),
        (
            #"{"action": "subscribe", "mode": "ltp", "instruments": [{"exchange": "NSE", "symbol": "TCS"}]}"#,
            #"{"status":"error","code":"INVALID_PARAMETERS","message":"At least one symbol must be specified"}"#
        ),
        (
            #"{"action": "subscribe", "symbol": "TCS", "exchange": "NSE", "mode": "1"}"#,
            #"{"status":"error","code":"INVALID_MODE","message":"Invalid mode '1'; expected 'LTP', 'Quote', or 'Depth' (case-insensitive)"}"#
        ),
        (
            #"{"action": "subscribe", "symbol": "TCS", "exchange": "NSE", "mode": 4}"#,
            #"{"status":"error","code":"INVALID_MODE","message":"Invalid mode 4; expected 1 (LTP), 2 (Quote), or 3 (Depth)"}"#
        ),
        (
            #"{"action": "subscribe", "symbol": "TCS", "exchange": "NSE", "mode": null}"#,
            #"{"status":"error","code":"INVALID_MODE","message":"Mode must be int or str, got NoneType"}"#
        ),
        (
            #"{"action": "subscribe", "symbol": "TCS", "exchange": "NSE", "mode": true}"#,
            #"{"status":"error","code":"INVALID_MODE","message":"Mode must be int or str, got bool"}"#
        ),
        (
            #"{"action": "subscribe", "symbol": "RELIANCE", "exchange": "NSE", "mode": 1}"#,
            #"{"type":"subscribe","status":"success","subscriptions":[{"symbol":"RELIANCE","exchange":"NSE","status":"success","mode":"LTP","depth":5,"broker":"zerodha"}],"message":"Subscription processing complete","broker":"zerodha"}"#
        ),
        (
            #"{"action": "subscribe", "symbol": "reliance", "exchange": "nse", "mode": 1}"#,
            #"{"type":"subscribe","status":"success","subscriptions":[{"symbol":"reliance","exchange":"nse","status":"success","mode":"LTP","depth":5,"broker":"zerodha"}],"message":"Subscription processing complete","broker":"zerodha"}"#
        ),
        (
            #"{"action": "subscribe", "symbols": ["NSE:TCS"], "mode": 1}"#,
            #"{"status":"error","code":"SERVER_ERROR","message":"'str' object has no attribute 'get'"}"#
        ),
    ]

    private static let leaving: [(String, String)] = [
        (
            #"{"action": "subscribe_orders", "request_id": "o1"}"#,
            #"{"type":"subscribe_orders","status":"success","message":"Subscribed to order updates","request_id":"o1"}"#
        ),
        (
            #"{"action": "unsubscribe_orders", "request_id": "o2"}"#,
            #"{"type":"unsubscribe_orders","status":"success","message":"Unsubscribed from order updates","request_id":"o2"}"#
        ),
        (
            #"{"action": "unsubscribe", "symbols": [{"symbol": "RELIANCE", "exchange": "NSE"}], "mode": "LTP", "request_id": "u1"}"#,
            #"{"type":"unsubscribe","status":"success","message":"Unsubscription processing complete","successful":[{"symbol":"RELIANCE","exchange":"NSE","status":"success","broker":"zerodha"}],"failed":[],"broker":"zerodha","request_id":"u1"}"#
        ),
        (
            #"{"action": "unsubscribe", "symbol": "RELIANCE", "exchange": "NSE", "mode": 1}"#,
            #"{"type":"unsubscribe","status":"success","message":"Unsubscription processing complete","successful":[{"symbol":"RELIANCE","exchange":"NSE","status":"success","broker":"zerodha"}],"failed":[],"broker":"zerodha"}"#
        ),
        (
            #"{"action": "unsubscribe"}"#,
            #"{"status":"error","code":"INVALID_PARAMETERS","message":"Either symbols or unsubscribe_all is required"}"#
        ),
        (
            #"{"action": "unsubscribe", "symbols": [{"symbol": "SBIN", "exchange": "NSE", "mode": 9}]}"#,
            #"{"type":"unsubscribe","status":"error","message":"Unsubscription processing complete","successful":[],"failed":[{"symbol":"SBIN","exchange":"NSE","status":"error","message":"Invalid mode 9; expected 1 (LTP), 2 (Quote), or 3 (Depth)","broker":"zerodha"}],"broker":"zerodha"}"#
        ),
    ]

    @Test func subscribingAndLeaving() async throws {
        try await House.with { house in
            let client = try await house.client()
            try await play(Self.subscribing, client)
            try await play(Self.leaving, client)
            let all = try await client.reply(to: #"{"action": "unsubscribe_all"}"#)
            #expect(all["type"] == "unsubscribe" && all["status"] == "success" && all["failed"] == .array([]))
            guard case .array(let left) = try #require(all["successful"]) else { return }
            #expect(Set(left.compactMap { $0["symbol"]?.string }) == ["SBIN", "reliance", "INFY"])
            #expect(try #require(house.directory.session(of: "alice")).references.isEmpty)
        }
    }
}
