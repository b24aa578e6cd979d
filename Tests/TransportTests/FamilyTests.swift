import CFeedhostABI
import MarketData
import NIOCore
import NIOPosix
import Testing

@testable import Secrets
@testable import Transport

/// Resolves one name to listeners of both families, and counts how often it is asked.
private struct TwoFamilies: HostLookup {
    let known: [SocketAddress?]

    func addresses(host: String, port: Int) throws -> [SocketAddress] {
        guard host == "broker.test" else { throw UnknownHost(status: 0) }
        return known.compactMap { $0 }
    }
}

/// Whether this machine has ::1.
private let hasIPv6: Bool = {
    guard let address = try? SocketAddress(ipAddress: "::1", port: 0),
        let channel = try? ServerBootstrap(group: TestServer.group).bind(to: address).wait()
    else {
        print("SKIPPED: tests of both address families: no ::1 here")
        return false
    }
    channel.close(promise: nil)
    return true
}()

@Suite(.enabled(if: hasIPv6, "needs ::1"), .timeLimit(.minutes(1))) struct FamilyTests {
    private static let good = TestServer.Behaviour.webSocket({ $0.close(1_000) }, { _, _ in })
    private static let words =
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"error_type\":\"Tok\"}"
    private static let page =
        "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"

    private struct Both {
        let v6: TestServer
        let v4: TestServer
        var route = OutboundRoute()

        /// - Parameter race: As on the first connection of all. Otherwise IPv6 is known to have worked, so that a loaded
        ///   machine, on which connecting takes longer than 250 ms, does not begin with IPv4.
        init(_ v6: TestServer.Behaviour, _ v4: TestServer.Behaviour, race: Bool = false) async throws {
            self.v6 = try await TestServer(v6, host: "::1")
            self.v4 = try await TestServer(v4)
            route.lookup = TwoFamilies(known: [self.v6.address, self.v4.address])
            if !race { route.memory.remember(.ipv6, for: "broker.test") }
        }

        func connect(timeout: Int64 = 30_000) async throws -> (opened: Bool, noticed: [String], close: WebSocketClose) {
            var options = WebSocketConnection.Options()
            options.route = route
            options.timeout = timeout
            let client = try await TestClient.connect("ws://broker.test:80/?SECRET", options: options)
            var opened = false
            var noticed: [String] = []
            for await event in client.events {
                switch event {
                case .opened: opened = true
                case .noticed(let text): noticed.append(text)
                case .received: break
                case .closed(let close):
                    #expect(!noticed.contains { $0.contains("SECRET") })
                    return (opened, noticed, close)
                }
            }
            throw CancellationError()
        }

        func stop() async throws {
            try await v6.stop()
            try await v4.stop()
        }
    }

    @Test(arguments: [
        page, words, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno", "HTTP/1.1 400 Bad Request\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "junk\r\n\r\n", "",
    ])
    func aFamilyThatIsRefusedIsNoVerdict(answer: String) async throws {
        let both = try await Both(answer.isEmpty ? .closes : .raw(answer), Self.good)
        let first = try await both.connect()
        #expect(first.opened && first.close.code == 1_000)
        #expect(first.noticed.count == 1)
        #expect(first.noticed.first?.hasSuffix("over IPv6; trying IPv4") == true, "\(first.noticed)")
        // Remembered: the next one begins with the family that works.
        let second = try await both.connect()
        #expect(second.opened && second.noticed.isEmpty)
        #expect((both.v6.accepted, both.v4.accepted) == (1, 2))
        try await both.stop()
    }

    @Test func aMuteFamilyCostsAThirdOfTheTime() async throws {
        let both = try await Both(.mute, Self.good)
        let outcome = try await both.connect(timeout: 6_000)
        #expect(outcome.opened && outcome.noticed.count == 1)
        try await both.stop()
    }

    @Test(arguments: [true, false]) func aFamilyWithoutAListenerIsPassedOver(race: Bool) async throws {
        var both = try await Both(.mute, Self.good, race: race)
        try await both.v6.stop()
        let outcome = try await both.connect()
        #expect(outcome.opened && outcome.noticed.isEmpty)
        // What worked once and is gone is not tried first again.
        #expect(both.route.memory.family(for: "broker.test") == nil)
        // Not when the other one is the only one allowed.
        both.route.family = .ipv6
        #expect(try await both.connect().close.failure?.status == fh_status(FH_E_NETWORK))
        try await both.v4.stop()
    }

    /// Whichever of the two answers first.
    @Test func theFirstConnectionOfAllFindsAWay() async throws {
        for (v6, v4) in [(TestServer.Behaviour.raw(Self.page), Self.good), (Self.good, .raw(Self.page))] {
            let both = try await Both(v6, v4, race: true)
            #expect(try await both.connect().opened)
            try await both.stop()
        }
    }

    @Test(arguments: [(words, page), (page, words)])
    func whenBothRefuseWordsCountForMoreThanAPage(v6: String, v4: String) async throws {
        let both = try await Both(.raw(v6), .raw(v4))
        let outcome = try await both.connect()
        #expect(!outcome.opened)
        #expect(outcome.close.refusal?.hasWords == true)
        #expect((both.v6.accepted, both.v4.accepted) == (1, 1))
        try await both.stop()
    }

    @Test func aRefusalCountsForMoreThanSilence() async throws {
        let both = try await Both(.raw(Self.page), .mute)
        let outcome = try await both.connect(timeout: 3_000)
        #expect(outcome.close.refusal?.status == 403)
        try await both.stop()
    }

    @Test func aLimitIsOnesOwn() async throws {
        let both = try await Both(
            .raw("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n"), Self.good)
        let outcome = try await both.connect()
        #expect(outcome.close.refusal?.status == 429 && outcome.noticed.isEmpty)
        #expect(both.v4.accepted == 0)
        try await both.stop()
    }

    @Test(arguments: AddressFamily.allCases) func onlyTheFamilyThatIsSet(family: AddressFamily) async throws {
        var both = try await Both(.raw(Self.page), .raw(Self.page))
        both.route.family = family
        let outcome = try await both.connect()
        #expect(outcome.close.refusal?.status == 403 && outcome.noticed.isEmpty)
        #expect((both.v6.accepted, both.v4.accepted) == (family == .ipv6 ? (1, 0) : (0, 1)))
        both.route.lookup = TwoFamilies(known: [family == .ipv6 ? both.v4.address : both.v6.address])
        let failure = try #require(try await both.connect().close.failure)
        #expect(failure.message.contains("no \(family.name) address"), "\(failure)")
        try await both.stop()
    }

    @Test func aSourceAddressIsUsedAndItsFamilyWithIt() async throws {
        var both = try await Both(Self.good, Self.good)
        both.route.source = try SocketAddress(ipAddress: "127.0.0.2", port: 0)
        #expect(try await both.connect().opened)
        #expect(both.v4.sources == ["127.0.0.2"] && both.v6.accepted == 0)
        try await both.stop()
    }

    @Test(arguments: [HTTPFetch.Method.get, .post]) func requestsTryTheOtherFamilyAndSendAPostOnce(
        method: HTTPFetch.Method
    ) async throws {
        let both = try await Both(.raw(Self.page), .raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let url = try TransportURL("http://broker.test/")
        let (outcomes, continuation) = AsyncStream<Int?>.makeStream()
        try await loop.submit { [route = both.route] in
            let request = HTTPFetch.Request(url: url, method: method, fields: [], body: ByteBuffer(), timeout: 10_000)
            _ = try HTTPFetch.start(request, on: loop, route: route, tls: nil) { outcome in
                continuation.yield(outcome.answer?.status)
                continuation.finish()
            }
        }.get()
        var statuses: [Int?] = []
        for await status in outcomes { statuses.append(status) }
        #expect(statuses == [method == .get ? 200 : 403])
        #expect(both.v4.accepted == (method == .get ? 1 : 0))
        try await both.stop()
    }

    @Test func mastersTryTheOtherFamily() async throws {
        let both = try await Both(.raw(Self.page), .raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
        let location = MasterLocation(url: Secret("http://broker.test/file.csv"))
        let bytes = try await MasterFetch(route: both.route).bytes(at: location) { _, _ in }
        #expect(bytes == Array("hi".utf8))
        // A verdict of the broker's own is not asked for twice.
        let said = try await Both(.raw(Self.words), .raw(Self.page))
        let error = await #expect(throws: FeedError.self) {
            try await MasterFetch(route: said.route).bytes(at: location) { _, _ in }
        }
        #expect(error?.code == .authentication && said.v4.accepted == 0)
        try await both.stop()
        try await said.stop()
    }
}
