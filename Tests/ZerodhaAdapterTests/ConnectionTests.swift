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

    @Test(arguments: [
        (400, FH_WHY_AUTH_REJECTED, 0), (401, FH_WHY_AUTH_REJECTED, 0), (403, FH_WHY_AUTH_REJECTED, 0),
        (429, FH_WHY_CONNECTION_LIMIT, 10_000), (500, FH_WHY_NETWORK, 0), (0, FH_WHY_NETWORK, 0),
    ])
    func reportsARefusal(httpStatus: Int, reason: Int, wait: Int) throws {
        let host = try load()
        host.connect(accessToken: "token1", fields: ["api_key": "key1"])
        host.drop(httpStatus: Int32(httpStatus))
        let event = try #require(host.connections.last)
        #expect(event.state == UInt32(FH_CONN_DISCONNECTED))
        #expect(event.reason == UInt32(reason))
        #expect(event.retryAfter == UInt32(wait))
        #expect(!event.message.contains("token1") && !event.message.contains("key1"))
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
    }
}
