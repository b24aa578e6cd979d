import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing
import ZerodhaAdapter

@Suite struct ZerodhaConnectionTests {
    private func load(_ settings: [String: String] = [:]) throws -> InMemoryHost {
        try InMemoryHost(zerodhaEntry, settings: settings)
    }

    @Test func logsInByTheAddress() throws {
        let host = try openZerodha()
        #expect(host.sockets.map(\.url) == ["wss://ws.kite.trade/?api_key=key1&access_token=token1"])
        #expect(host.sockets[0].headers == [["X-Kite-Version", "3"]])
        #expect(host.connections.map(\.state) == [UInt32(FH_CONN_CONNECTING), UInt32(FH_CONN_READY)])
    }

    @Test func escapesTheLogin() throws {
        let host = try load(["endpoint": "ws://127.0.0.1:9//"])
        host.connect(accessToken: "a b&c=ü", fields: ["api_key": "k/1"])
        #expect(host.sockets.map(\.url) == ["ws://127.0.0.1:9/?api_key=k%2F1&access_token=a%20b%26c%3D%C3%BC"])
    }

    /// OpenAlgo stores both in one text.
    @Test func takesKeyAndTokenTogether() throws {
        let host = try load()
        host.connect(accessToken: "key2:token2", fields: ["api_key": "key1"])
        #expect(host.sockets.map(\.url) == ["wss://ws.kite.trade/?api_key=key2&access_token=token2"])
    }

    @Test(arguments: [
        ("", "key1", "access_token is missing"), ("token1", "", "api_key is missing"),
        ("key1:", "", "access_token is missing"),
    ])
    func namesWhatIsMissing(token: String, key: String, message: String) throws {
        let host = try load()
        #expect(host.connect(accessToken: token, fields: ["api_key": key]) == .authentication)
        #expect(host.sockets.isEmpty)
        #expect(host.log.count == 1)
        #expect(host.log[0].contains(message))
    }

    /// Every status with nothing, with somebody's page, with plain words of nobody, and with Kite's own.
    @Test(arguments: [0, 400, 401, 403, 404, 407, 429, 500, 502, 503], Refusal.allCases)
    func onlyKitesOwnWordsAreAVerdict(httpStatus: Int, refusal: Refusal) throws {
        let host = try load()
        host.connect(accessToken: "token1", fields: ["api_key": "key1"])
        host.drop(httpStatus: Int32(httpStatus), headers: refusal.headers, body: refusal.body)
        let event = try #require(host.connections.last)
        #expect(event.state == UInt32(FH_CONN_DISCONNECTED))
        let isVerdict = refusal == .own && [401, 403].contains(httpStatus)
        let other = httpStatus == 429 ? FH_WHY_CONNECTION_LIMIT : FH_WHY_NETWORK
        #expect(event.reason == UInt32(isVerdict ? FH_WHY_AUTH_REJECTED : other))
        #expect(event.retryAfter == UInt32(httpStatus == 429 ? 10_000 : 0))
        #expect(httpStatus == 0 || event.message.contains("HTTP \(httpStatus)"))
        #expect(!event.message.contains("token1") && !event.message.contains("key1") && !event.message.contains("<"))
    }

    @Test(arguments: [
        #"{"status":"error","message":"Token is invalid or has expired.","error_type":"TokenException"}"#,
        #"{"status":"error","message":"Insufficient permission for that call.","error_type":"PermissionException"}"#,
        #"{"status":"error","message":"Incorrect `api_key` or `access_token`."}"#,
    ])
    func knowsKitesWords(body: String) throws {
        let host = try load()
        host.connect(accessToken: "token1", fields: ["api_key": "key1"])
        host.drop(httpStatus: 403, headers: ["Content-Type": "application/json"], body: body)
        #expect(host.connections.last?.reason == UInt32(FH_WHY_AUTH_REJECTED))
    }

    enum Refusal: CaseIterable {
        case empty, page, pageWithoutType, plain, own

        var headers: [String: String] {
            switch self {
            case .empty, .pageWithoutType: [:]
            case .page: ["content-type": "text/html; charset=UTF-8"]
            case .plain: ["Content-Type": "text/plain"]
            case .own: ["Content-Type": "application/json"]
            }
        }

        var body: String {
            switch self {
            case .empty: ""
            // A page may repeat the address, and so the names of its parameters.
            case .page: "<!DOCTYPE html><title>Just a moment…</title> /?api_key=…&access_token=…"
            case .pageWithoutType: "\r\n <html>access_token</html>"
            case .plain: "Forbidden\n"
            case .own:
                #"{"status":"error","message":"Incorrect `api_key` or `access_token`.","data":null,"error_type":"TokenException"}"#
            }
        }
    }

    @Test(arguments: [("42", 42_000), ("0", 0), ("-5", 0), ("9223372036854775807", 86_400_000), ("soon", 10_000)])
    func waitsAsLongAsKiteSaysAndADayAtMost(said: String, wait: UInt32) throws {
        let host = try load()
        host.connect(accessToken: "token1", fields: ["api_key": "key1"])
        host.drop(httpStatus: 429, headers: ["retry-after": said])
        #expect(host.connections.last?.retryAfter == wait)
    }

    @Test func takesFreshCredentialsEveryTime() throws {
        let host = try openZerodha()
        host.drop()
        host.connect(accessToken: "token2", fields: ["api_key": "key1"])
        host.acceptUpgrade()
        #expect(host.sockets.last?.url == "wss://ws.kite.trade/?api_key=key1&access_token=token2")
        #expect(host.connections.last?.generation == 2)
        #expect(host.log.isEmpty)
    }

    @Test(arguments: [true, false])
    func forgetsEverythingWithTheConnection(isDropped: Bool) throws {
        let host = try openZerodha()
        host.startOrders()
        host.subscribe([host.wish(Token.infy, FH_MODE_DEPTH), host.wish(Token.tcs, FH_MODE_LTP)])
        if isDropped { host.drop() } else { host.disconnect() }
        #expect(host.subscribe([host.wish(Token.infy, FH_MODE_LTP)]) == .wrongState)
        host.connect(accessToken: "token1", fields: ["api_key": "key1"])
        host.acceptUpgrade()
        host.deliver(binary: kiteMessage(.numbered(184, token: Token.infy)))
        host.deliver(ZerodhaOrderTests.frame())
        #expect(host.tickCount == 0)
        #expect(host.orders.isEmpty)
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 2)
        host.subscribe([host.wish(Token.infy, FH_MODE_LTP)])
        #expect(host.takeSent() == [#"{"a":"subscribe","v":[408065]}"#, #"{"a":"mode","v":["ltp",[408065]]}"#])
    }

    @Test func tellsWhatKiteSays() throws {
        let host = try openZerodha()
        host.deliver(#"{"type":"error","data":"Subscription \"limit\"\nreached \u20b9"}"#)
        host.deliver(#"{"data":"Markets close early","type":"message"}"#)
        host.deliver(#"{"type":"instruments_meta","data":{"count":1,"etag":"x"}}"#)
        host.deliver(#"{"type":"error"}"#)
        #expect(
            host.log == [
                "Kite reports an error: Subscription \"limit\" reached ₹", "Kite says: Markets close early",
                "Kite reports an error: (no text)",
            ])
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 1)
        #expect(host.metric(FH_M_FRAMES_BAD) == 0)
        #expect(host.connections.last?.state == UInt32(FH_CONN_READY))
    }

    @Test(arguments: ["", "hello", "[]", "{}", #"{"type":"order","data":{}"#, #"{"type":"order"}x"#])
    func countsTextThatItCannotRead(text: String) throws {
        let host = try openZerodha()
        host.deliver(text)
        #expect(host.metric(FH_M_FRAMES_BAD) == 1)
    }

    @Test func refusesSettingsThatMakeNoSense() {
        #expect(throws: InMemoryHost.LoadFailure.self) { try load(["endpoint": "https://example.com"]) }
    }

    @Test func declaresWhatKiteAllows() throws {
        let link = try #require(Zerodha.descriptor.capabilities.links.first)
        #expect(Zerodha.descriptor.capabilities.links.count == 1)
        #expect((link.quota, link.maximumLinks, link.batch) == (3_000, 3, 200))
        #expect(link.carries == [.marketData, .orders])
        #expect(Zerodha.descriptor.capabilities.orderStream == .sameSocket)
        let silences = Zerodha.descriptor.capabilities
        #expect(silences.silenceLimit != nil && silences.offHoursSilenceLimit != nil)
    }
}
