import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing

@Suite struct BinanceSocketTests {
    private func load(_ settings: [String: String] = [:]) throws -> InMemoryHost {
        try InMemoryHost(binanceEntry, settings: binanceSettings(settings))
    }

    private func streams(_ url: String) -> [String] {
        url.split(separator: "=").last?.split(separator: "/").map(String.init) ?? []
    }

    @Test func isReadyWhenTheServerHasAnswered() throws {
        let host = try load(["endpoint": "ws://127.0.0.1:9/"])
        host.connect()
        #expect(host.sockets.map(\.url) == ["ws://127.0.0.1:9/stream"])
        host.advance(by: .seconds(5))
        #expect(host.connections.map(\.state) == [UInt32(FH_CONN_CONNECTING)])
        host.acceptUpgrade()
        #expect(host.connections.map(\.state) == [UInt32(FH_CONN_CONNECTING), UInt32(FH_CONN_READY)])
        host.advance(by: .seconds(600))
        #expect(host.sockets.count == 1 && host.sockets[0].sent.isEmpty, "nothing is wanted, and silence is no fault")
    }

    @Test func isNotReadyWithoutAServer() throws {
        let host = try load()
        host.connect()
        host.drop()
        #expect(host.connections.map(\.state) == [UInt32(FH_CONN_CONNECTING), UInt32(FH_CONN_DISCONNECTED)])
        #expect(host.connections.last?.message == "", "what went wrong the host knows")
        #expect(host.timerCount == 0)
    }

    @Test func asksOnceForAllChangesOfAMoment() throws {
        let host = try load(["endpoint": "ws://127.0.0.1:9/"])
        host.connect()
        host.acceptUpgrade()
        host.subscribe([host.wish("CRYPTO", "BTCUSDT", FH_MODE_LTP)])
        host.advance(by: .milliseconds(60))
        host.subscribe([host.wish("CRYPTO", "ETHUSDT", FH_MODE_QUOTE)])
        host.subscribe([host.wish("CRYPTO", "BNBUSDT", FH_MODE_DEPTH, depth: 20)])
        #expect(host.results.map(\.outcome) == Array(repeating: UInt32(FH_SUB_SENT_NO_ACK), count: 3))
        #expect(host.sockets[0].sent.isEmpty)
        host.advance(by: .milliseconds(149))
        #expect(host.sockets[0].sent.isEmpty)
        host.advance(by: .milliseconds(1))
        #expect(
            host.sockets[0].sentText == [
                #"{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@aggTrade","ethusdt@trade","ethusdt@aggTrade","#
                    + #""ethusdt@ticker","ethusdt@bookTicker","bnbusdt@trade","bnbusdt@aggTrade","bnbusdt@ticker","#
                    + #""bnbusdt@bookTicker","bnbusdt@depth20@100ms"],"id":1}"#
            ])
        host.deliver(#"{"result":null,"id":1}"#)
        host.advance(by: .seconds(10))
        #expect(host.sockets.count == 1)
        #expect(host.sockets[0].sent.count == 1)
    }

    @Test func asksForLaterStreamsByFrames() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.subscribe([host.wish("CRYPTO", "ETHUSDT", FH_MODE_LTP)])
        host.advance(by: .milliseconds(150))
        #expect(
            host.sockets[0].sentText.dropFirst() == [
                #"{"method":"SUBSCRIBE","params":["ethusdt@trade","ethusdt@aggTrade"],"id":2}"#
            ])
        host.deliver(#"{"result":null,"id":2}"#)
        host.unsubscribe([host.wish("CRYPTO", "NKNUSDT", FH_MODE_LTP)])
        host.advance(by: .seconds(5))
        #expect(
            host.sockets[0].sentText.last
                == #"{"method":"UNSUBSCRIBE","params":["nknusdt@aggTrade","nknusdt@trade"],"id":3}"#)
        #expect(host.sockets.count == 1)
        host.deliver(BinanceDecodingTests.trade)
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 1)
    }

    /// Some coins have Chinese names. They are percent-encoded in a URL, and as they are in frames.
    @Test func carriesNamesBeyondASCII() throws {
        let host = try load(["trades": "trade"])
        host.connect()
        host.acceptUpgrade()
        host.subscribe([host.wish("CRYPTO", "币安人生USDT", FH_MODE_LTP)])
        host.advance(by: .milliseconds(150))
        #expect(host.sockets[0].sentText == [#"{"method":"SUBSCRIBE","params":["币安人生usdt@trade"],"id":1}"#])
        host.deliver(#"{"result":null,"id":1}"#)
        // A connection that follows another has everything in its URL.
        host.deliver(#"{"e":"serverShutdown","E":1}"#)
        #expect(
            host.sockets.map(\.url) == [
                "ws://stand.in/stream",
                "ws://stand.in/stream?streams=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@trade",
            ])
        host.acceptUpgrade()
        let trade = BinanceDecodingTests.trade.replacing("NKNUSDT", with: "币安人生USDT")
        host.deliver(trade.replacing("nknusdt@", with: "币安人生usdt@"))
        #expect(host.tickCount == 1)
        let escaped = #"\u5e01\u5B89\u4eba\u751fusdt@"#
        host.deliver(trade.replacing("nknusdt@", with: escaped).replacing("\"t\":77", with: "\"t\":78"))
        #expect(host.tickCount == 2)
        #expect(host.metric(FH_M_FRAMES_BAD) == 0 && host.metric(FH_M_FRAMES_IGNORED) == 0)
    }

    @Test(arguments: [
        "币安人生usdt", "BTC USDT", "BTC/USDT", "BTC@TRADE", "BTC\"USDT", "BTC\\USDT", "BTC%USDT", "A", "BTC\u{200B}USDT",
        "BTC\u{1F600}", "币安人生USDT币安人生USDT币安人生USDTX",
    ])
    func refusesWhatCanBeNoPair(symbol: String) throws {
        let host = try load()
        host.connect()
        host.acceptUpgrade()
        host.subscribe([host.wish("CRYPTO", symbol, FH_MODE_LTP)])
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_REJECTED)])
        host.advance(by: .seconds(1))
        #expect(host.sockets[0].sent.isEmpty)
    }

    /// A URL has its limit; what does not fit is asked for by frames.
    @Test func longNamesLeaveRoomInTheURL() throws {
        let host = try load(["trades": "trade"])
        host.connect()
        host.acceptUpgrade()
        let names = (0..<150).map { String(repeating: "币", count: 20) + String(10_000 + $0).suffix(4) }
        host.subscribe(names.map { host.wish("CRYPTO", $0, FH_MODE_LTP) })
        host.advance(by: .milliseconds(500))
        for id in 1...2 { host.deliver("{\"result\":null,\"id\":\(id)}") }
        host.deliver(#"{"e":"serverShutdown","E":1}"#)
        #expect(host.sockets.count == 2)
        #expect(host.sockets[1].url.utf8.count <= 16_384)
        let inURL = streams(host.sockets[1].url).count
        #expect(inURL > 50 && inURL < 150)
        host.acceptUpgrade()
        host.advance(by: .seconds(1))
        let asked = host.sockets[1].sentText.map { $0.count(where: { $0 == "@" }) }.reduce(0, +)
        #expect(inURL + asked == 150)
    }

    @Test func changesTheModeOfAnInstrument() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.subscribe([host.wish("CRYPTO", "NKNUSDT", FH_MODE_DEPTH, depth: 10)])
        host.advance(by: .milliseconds(150))
        #expect(host.sockets[0].sentText.last?.contains("nknusdt@depth10@100ms") == true)
        #expect(host.sockets[0].sentText.last?.contains("trade") == false)
    }

    @Test func opensANewConnectionWhenAFrameIsNotConfirmed() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.subscribe([host.wish("CRYPTO", "ETHUSDT", FH_MODE_LTP)])
        host.advance(by: .milliseconds(150))
        host.advance(by: .milliseconds(1_999))
        #expect(host.sockets.count == 1)
        host.advance(by: .milliseconds(1))
        #expect(host.sockets.count == 2)
        #expect(
            streams(host.sockets[1].url) == ["nknusdt@trade", "nknusdt@aggTrade", "ethusdt@trade", "ethusdt@aggTrade"])

        // Until the new one is open, the old one serves.
        host.deliver(BinanceDecodingTests.trade, on: host.sockets[0].id)
        #expect(host.tickCount == 1)
        #expect(host.sockets[0].closeCode == nil)
        host.acceptUpgrade()
        #expect(host.sockets[0].closeCode == 1_000)
        host.deliver(BinanceDecodingTests.trade.replacing("\"t\":77", with: "\"t\":78"))
        #expect(host.tickCount == 2)
        #expect(host.connections.count == 2)

        // From now on a change goes into a new URL at once.
        host.subscribe([host.wish("CRYPTO", "BNBUSDT", FH_MODE_LTP)])
        host.advance(by: .milliseconds(150))
        #expect(host.sockets.count == 3)
        #expect(streams(host.sockets[2].url).count == 6)
    }

    @Test func staysWhenAFrameIsConfirmed() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.subscribe([host.wish("CRYPTO", "ETHUSDT", FH_MODE_LTP)])
        host.advance(by: .milliseconds(200))
        host.deliver(#"{"result":null,"id":2}"#)
        host.advance(by: .seconds(10))
        #expect(host.sockets.count == 1)
        #expect(host.metrics.isEmpty)
    }

    @Test func opensANewConnectionWhenAFrameIsRefused() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.subscribe([host.wish("CRYPTO", "ETHUSDT", FH_MODE_LTP)])
        host.advance(by: .milliseconds(150))
        host.deliver(#"{"error":{"code":2,"msg":"Invalid request"},"id":2}"#)
        #expect(host.sockets.count == 2)
    }

    @Test func keepsToItsLimits() throws {
        let host = try load()
        host.connect()
        host.acceptUpgrade()
        host.subscribe((1...150).map { host.wish("CRYPTO", "COIN\($0)", FH_MODE_DEPTH, depth: 5) })
        host.advance(by: .milliseconds(150))
        for id in 1...8 {
            host.deliver("{\"result\":null,\"id\":\(id)}")
            host.advance(by: .milliseconds(250))
        }
        let socket = host.sockets[0]
        #expect(socket.sent.count == 8)
        let asked = socket.sentText.map { $0.split(separator: ",").count - 2 }
        #expect(asked.allSatisfy { $0 <= 100 })
        #expect(asked.reduce(0, +) == 750)
        for (earlier, later) in zip(socket.sentAt, socket.sentAt.dropFirst(4)) {
            #expect(later - earlier >= 1_000_000_000, "at most four frames a second")
        }
    }

    @Test func staysConnectedWhenNothingIsWanted() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.unsubscribe([host.wish("CRYPTO", "NKNUSDT", FH_MODE_LTP)])
        host.advance(by: .milliseconds(150))
        #expect(host.sockets[0].sentText.last?.contains("UNSUBSCRIBE") == true)
        #expect(host.sockets[0].closeCode == nil)
        #expect(host.connections.last?.state == UInt32(FH_CONN_READY))
        host.subscribe([host.wish("CRYPTO", "NKNUSDT", FH_MODE_LTP)])
        host.advance(by: .milliseconds(400))
        #expect(host.sockets.count == 1)
        #expect(host.sockets[0].sentText.last?.contains(#""SUBSCRIBE""#) == true)
    }

    @Test(arguments: [
        (0, FH_WHY_NETWORK, 0), (500, FH_WHY_NETWORK, 0), (400, FH_WHY_NETWORK, 0),
        (401, FH_WHY_NETWORK, 0), (403, FH_WHY_NETWORK, 0), (404, FH_WHY_NETWORK, 0), (502, FH_WHY_NETWORK, 0),
        (503, FH_WHY_NETWORK, 7_000),
        (429, FH_WHY_RATE_LIMITED, 7_000), (418, FH_WHY_RATE_LIMITED, 7_000),
    ])
    func reportsALostSocket(httpStatus: Int, reason: Int, wait: Int) throws {
        let host = try load()
        host.connect()
        let isLimited = [418, 429, 503].contains(httpStatus)
        host.drop(
            httpStatus: Int32(httpStatus),
            headers: isLimited ? ["retry-after": "7"] : ["Content-Type": "text/html"],
            body: "<html>blocked</html>")
        let event = try #require(host.connections.last)
        #expect(event.state == UInt32(FH_CONN_DISCONNECTED))
        #expect(event.reason == UInt32(reason))
        #expect(event.retryAfter == UInt32(wait))
        #expect(event.generation == 1)
        #expect(host.timerCount == 0)

        host.connect()
        #expect(host.sockets.count == 2)
        #expect(host.connections.last?.generation == 2)
    }

    @Test func countsTradesAnewAfterAReconnect() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.deliver(BinanceDecodingTests.trade)
        host.drop()
        host.connect()
        host.acceptUpgrade()
        host.subscribe([host.wish("CRYPTO", "NKNUSDT", FH_MODE_LTP)])
        host.advance(by: .milliseconds(150))
        host.deliver(BinanceDecodingTests.trade)
        #expect(host.tickCount == 2)
    }

    @Test func forgetsEverythingOnDisconnect() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.disconnect()
        #expect(host.sockets[0].closeCode == 1_000)
        #expect(host.connections.last?.reason == UInt32(FH_WHY_REQUESTED))
        #expect(host.subscribe([host.wish("CRYPTO", "BTCUSDT", FH_MODE_LTP)]) == .wrongState)
        host.deliver(BinanceDecodingTests.trade, on: host.sockets[0].id)
        #expect(host.tickCount == 0)
    }

    @Test func refusesWhatIsNoSymbol() throws {
        let host = try load(["endpoint": "ws://127.0.0.1:9"])
        host.connect()
        host.acceptUpgrade()
        host.subscribe([
            host.wish("CRYPTO", "btcusdt", FH_MODE_LTP), host.wish("CRYPTO", "A/B", FH_MODE_LTP),
            host.wish("NSE", "RELIANCE", FH_MODE_LTP), host.wish("CRYPTO", "BTCUSDT", FH_MODE_DEPTH, depth: 50),
        ])
        #expect(
            host.results.map(\.message) == [
                "Symbol btcusdt not found for exchange CRYPTO. Did you mean BTCUSDT?",
                "Symbol A/B not found for exchange CRYPTO", "Symbol RELIANCE not found for exchange NSE", "",
            ])
        #expect(host.results.prefix(3).allSatisfy { $0.status == .unknownInstrument })
        #expect(host.results[3].outcome == UInt32(FH_SUB_DOWNGRADED))
        #expect(host.results[3].depth == 20)
        #expect(host.resultCalls == 1)
    }

    @Test func refusesSettingsThatMakeNoSense() {
        #expect(throws: InMemoryHost.LoadFailure.self) { try load(["endpoint": "https://example.com"]) }
        #expect(throws: InMemoryHost.LoadFailure.self) { try load(["trades": "all"]) }
        #expect(throws: InMemoryHost.LoadFailure.self) { try load(["rest_endpoint": "ftp://example.com"]) }
        #expect(throws: InMemoryHost.LoadFailure.self) { try load(["pulse": ""]) }
        #expect(throws: InMemoryHost.LoadFailure.self) { try load(["pulse": "a\"@b"]) }
    }
}
