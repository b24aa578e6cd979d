import AdapterKit
import AdapterTestKit
import AngelAdapter
import CFeedhostABI
import Testing

@Suite struct AngelConnectionTests {
    private static let ready = [UInt32(FH_CONN_CONNECTING), UInt32(FH_CONN_READY)]

    @Test func connectsWithFourHeaders() throws {
        let host = try openAngel()
        #expect(host.sockets.count == 1)
        #expect(host.sockets[0].url == "wss://smartapisocket.angelone.in/smart-stream")
        #expect(
            host.sockets[0].headers == [
                ["Authorization", "jwt-1"], ["x-api-key", "key-1"], ["x-client-code", "C123"],
                ["x-feed-token", "feed-1"],
            ])
        #expect(host.connections.map(\.state) == Self.ready)
    }

    @Test func connectsToTheOrderSocketWithOneHeader() throws {
        for (stored, sent) in [
            ("jwt-1", "Bearer jwt-1"), ("Bearer jwt-2", "Bearer jwt-2"), (" bearer jwt-3 \n", "Bearer jwt-3"),
        ] {
            let host = try InMemoryHost(angelEntry, link: 1)
            host.connect(fields: angelCredentials.merging(["access_token": stored]) { $1 })
            host.acceptUpgrade()
            #expect(host.sockets[0].url == "wss://tns.angelone.in/smart-order-update")
            #expect(host.sockets[0].headers == [["Authorization", sent]])
            #expect(host.connections.map(\.state) == Self.ready)
        }
    }

    @Test func takesEveryAddressFromTheSettings() throws {
        let market = try openAngel(["endpoint": "ws://127.0.0.1:9/x"])
        #expect(market.sockets[0].url == "ws://127.0.0.1:9/x")
        let orders = try InMemoryHost(angelEntry, settings: ["orders_endpoint": "ws://127.0.0.1:8/y"], link: 1)
        orders.connect(fields: angelCredentials)
        #expect(orders.sockets[0].url == "ws://127.0.0.1:8/y")
        #expect(throws: InMemoryHost.LoadFailure.self) {
            try InMemoryHost(angelEntry, settings: ["endpoint": "http://127.0.0.1"])
        }
        let urls = Angel.descriptor.configKeys.filter { $0.kind == .url }.map(\.name)
        #expect(urls == ["endpoint", "orders_endpoint", "master_endpoint"])
    }

    @Test(arguments: ["api_key", "user_id", "access_token", "feed_token"])
    func namesTheCredentialThatIsMissing(name: String) throws {
        for value in ["", "  \n", "jwt\nx: y", "tök"] {
            let host = try InMemoryHost(angelEntry)
            #expect(host.connect(fields: angelCredentials.merging([name: value]) { $1 }) == .authentication)
            #expect(host.sockets.isEmpty)
            #expect(host.log.count == 1 && host.log[0].contains(name))
            #expect(!host.log[0].contains("x: y") && !host.log[0].contains("jwt-1") && !host.log[0].contains("feed-1"))
        }
    }

    @Test func takesTheCredentialsOfTheMoment() throws {
        let host = try openAngel()
        host.drop()
        host.connect(fields: angelCredentials.merging(["access_token": "jwt-2", "feed_token": "feed-2"]) { $1 })
        let headers = host.sockets[1].headers.map { $0[1] }
        #expect(headers == ["jwt-2", "key-1", "C123", "feed-2"])
    }

    @Test(arguments: [0 as UInt32, 1]) func keepsBothSocketsAliveByText(link: UInt32) throws {
        let host = try InMemoryHost(angelEntry, link: link)
        host.connect(fields: angelCredentials)
        host.acceptUpgrade()
        host.advance(by: .seconds(31))
        #expect(host.sockets[0].sentText == ["ping", "ping", "ping"])
        host.deliver("pong")
        host.deliver([], opcode: FH_WS_PONG)
        #expect(host.metrics.isEmpty && host.log.isEmpty)
    }

    @Test func saysWhyItWasRefused() throws {
        let host = try InMemoryHost(angelEntry)
        host.connect(fields: angelCredentials)
        host.drop(httpStatus: 401, headers: ["X-Error-Message": "Invalid Header - Invalid Feed Token\u{7}"])
        let event = try #require(host.connections.last)
        #expect(event.state == UInt32(FH_CONN_DISCONNECTED))
        #expect(event.reason == UInt32(FH_WHY_AUTH_REJECTED))
        #expect(event.message == "Angel One answered HTTP 401: Invalid Header - Invalid Feed Token")
    }

    @Test(arguments: [(0, FH_WHY_AUTH_REJECTED), (1, FH_WHY_AUTH_EXPIRED)] as [(UInt32, Int)])
    func tellsAnExpiredTokenFromAWrongOne(link: UInt32, reason: Int) throws {
        let host = try InMemoryHost(angelEntry, link: link)
        host.connect(fields: angelCredentials)
        host.drop(httpStatus: 403, headers: ["x-error-message": "Invalid Header - Expired Auth token"])
        #expect(host.connections.last?.reason == UInt32(reason))
    }

    /// Both sockets, every status, with and without Angel One's own header field or envelope.
    @Test(arguments: [0, 1] as [UInt32], [400, 401, 403, 404, 429, 500, 502, 503] as [Int32])
    func onlyItsOwnWordsAreAVerdict(link: UInt32, status: Int32) throws {
        let page = "<html><head><title>\(status)</title></head><body><hr><center>nginx</center></body></html>"
        let answers: [(headers: [String: String], body: String, isOwn: Bool)] = [
            ([:], "", false), (["Content-Type": "text/html"], page, false), ([:], page, false),
            (["Content-Type": "text/plain"], "Forbidden", false),
            // The web server in front puts its page below Angel One's words.
            (["Content-Type": "text/html", "X-Error-Message": "Invalid Header - Invalid Auth token"], page, true),
            (["x-error-message": "Invalid Header - Invalid Auth token"], "", true),
            (
                ["Content-Type": "application/json"],
                #"{"success":false,"message":"Invalid Token","errorCode":"AG8001","data":""}"#, true
            ),
        ]
        for answer in answers {
            let host = try InMemoryHost(angelEntry, link: link)
            host.connect(fields: angelCredentials)
            host.drop(httpStatus: status, headers: answer.headers, body: answer.body)
            let event = try #require(host.connections.last)
            #expect(event.state == UInt32(FH_CONN_DISCONNECTED))
            let verdict = status == 403 && link == 1 ? FH_WHY_AUTH_EXPIRED : FH_WHY_AUTH_REJECTED
            let other = status == 429 ? FH_WHY_CONNECTION_LIMIT : FH_WHY_NETWORK
            let isVerdict = answer.isOwn && (status == 401 || status == 403)
            #expect(event.reason == UInt32(isVerdict ? verdict : other), "\(answer)")
        }
    }

    @Test(arguments: [("", 30_000), ("5", 30_000), ("120", 120_000), ("soon", 30_000)] as [(String, UInt32)])
    func waitsLongWhenThereAreTooManyConnections(retryAfter: String, wait: UInt32) throws {
        let host = try InMemoryHost(angelEntry)
        host.connect(fields: angelCredentials)
        host.drop(
            httpStatus: 429,
            headers: ["x-error-message": "Invalid Request. Connection Limit Exceeded.", "Retry-After": retryAfter])
        let event = try #require(host.connections.last)
        #expect(event.reason == UInt32(FH_WHY_CONNECTION_LIMIT))
        #expect(event.retryAfter == wait)
        #expect(event.message.contains("Connection Limit Exceeded"))
    }

    @Test func takesALostSocketForTheNetwork() throws {
        let host = try openAngel()
        host.drop(code: 1_006)
        #expect(host.connections.last?.reason == UInt32(FH_WHY_NETWORK))
        let refused = try InMemoryHost(angelEntry)
        refused.connect(fields: angelCredentials)
        refused.drop(httpStatus: 502)
        #expect(refused.connections.last?.reason == UInt32(FH_WHY_NETWORK))
    }

    @Test func forgetsEverythingWithTheConnection() throws {
        let host = try openAngel()
        host.settled([host.share("2885", FH_MODE_DEPTH, depth: 20)])
        host.deliver(WireBook().packet(token: "2885"))
        host.subscribe([host.share("11", FH_MODE_LTP)])
        let late = host.correlation(2)
        host.drop()
        host.connect(fields: angelCredentials)
        host.acceptUpgrade()
        #expect(host.timerCount == 1)  // the heartbeat
        host.deliver(WireRecord().packet(3, token: "2885"))
        #expect(host.tickCount == 1 && host.metric(FH_M_FRAMES_IGNORED) == 1)
        host.refuse(late)
        #expect(host.requests.isEmpty)
        // Subscribed again, it begins from the beginning: five levels until twenty have come.
        host.settled([host.share("2885", FH_MODE_DEPTH, depth: 20)])
        #expect(host.requests == [request(1, 3, (1, ["2885"])), request(1, 4, (1, ["2885"]))])
        host.deliver(WireRecord().packet(3, token: "2885"))
        #expect(host.ticks.last?.bids.count == 5)
    }

    @Test func forgetsEverythingWhenTheHostDisconnects() throws {
        let host = try openAngel()
        host.settled([host.share("11", FH_MODE_LTP)])
        host.disconnect()
        #expect(host.sockets[0].closeCode == 1_000)
        host.connect(fields: angelCredentials)
        host.acceptUpgrade()
        host.deliver(WireRecord().packet(1, token: "11"))
        #expect(host.tickCount == 0)
    }

    @Test func declaresWhatTheBrokerAllows() throws {
        let capabilities = Angel.descriptor.capabilities
        let market = try #require(capabilities.links.first)
        #expect((market.quota, market.deepQuota, market.maximumLinks) == (1_000, 50, 3))
        #expect(market.unit == .instrumentMode && market.carries == .marketData)
        #expect(capabilities.links.map(\.name) == ["market", "orders"])
        #expect(capabilities.links[1].carries == .orders && capabilities.orderStream == .ownSocket)
        #expect(capabilities.silenceLimit != nil && capabilities.offHoursSilenceLimit != nil)
        #expect(capabilities.depthLevels(for: 20, on: "NSE") == 20)
        #expect(capabilities.depthLevels(for: 20, on: "NFO") == 5)
        #expect(capabilities.depthLevels(for: 20, on: "NSE_INDEX") == 5)
        #expect(
            Angel.descriptor.credentialKeys.filter(\.isRequired).map(\.name) == [
                "api_key", "user_id", "access_token", "feed_token",
            ])
    }
}
