import CFeedhostABI
import MarketData
import NIOCore
import NIOHTTP1
import Testing

@testable import Secrets
@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct ProxyTests {
    @Test(arguments: [
        ("http://proxy:3128", "http://proxy:3128", nil), ("proxy:3128/", "http://proxy:3128", nil),
        ("proxy", "http://proxy:80", nil), ("HTTP://[::1]:8080", "http://[::1]:8080", nil),
        ("http://u:p@proxy:1", "http://proxy:1", "Basic dTpw"),
        ("u%40x:p%3A%2F@proxy:1", "http://proxy:1", "Basic dUB4OnA6Lw=="),
        ("http://u@proxy:1", "http://proxy:1", "Basic dTo="),
        ("http://u:p@q@proxy:1", "http://proxy:1", "Basic dTpwQHE="),
    ])
    func addressesAreRead(text: String, shown: String, authorization: String?) throws {
        let proxy = try ProxyAddress(text)
        #expect("\(proxy)" == shown)
        #expect(proxy.authorization?.revealed == authorization)
        #expect(!"\(proxy)".contains("dTpw") && !String(reflecting: proxy).contains("dTpw"))
    }

    @Test(arguments: [
        ("socks5://u:SECRET@proxy:1", "socks5://"), ("https://proxy:1", "https://"),
        ("ftp://SECRET", "not this scheme"),
        ("http://", "no host"), ("http://proxy:0", "port"), ("http://proxy:1/SECRET", "port"),
        ("http://u:%ZZ@proxy:1", "percent-encoded"), ("http://u:a%0D%0Ab@proxy:1", "percent-encoded"),
    ])
    func whatIsNoProxyIsRefused(text: String, word: String) {
        let error = #expect(throws: TransportFailure.self) { try ProxyAddress(text) }
        #expect(error?.message.contains(word) == true && error?.message.contains("SECRET") == false, "\(error as Any)")
    }

    @Test(arguments: [
        ("example.com", "example.com", 443, true), ("example.com", "ws.EXAMPLE.com", 443, true),
        ("example.com", "notexample.com", 443, false), (".example.com", "a.example.com", 443, true),
        ("*.example.com", "a.example.com", 443, true), ("example.com:8443", "example.com", 443, false),
        ("example.com:8443", "example.com", 8443, true), ("*", "anything", 1, true),
        ("10.0.0.0/8", "10.200.3.4", 443, true), ("10.0.0.0/8", "11.0.0.1", 443, false),
        ("10.0.0.0/8", "10.example", 443, false), ("192.168.1.128/25", "192.168.1.127", 443, false),
        ("127.0.0.1", "127.0.0.1", 80, true), ("127.0.0.1:81", "127.0.0.1", 80, false), ("::1", "::1", 80, true),
        ("[::1]:80", "::1", 80, true), ("fd00::/8", "fd12::1", 443, true), ("0.0.0.0/0", "::1", 80, false),
    ])
    func exceptionsCover(entry: String, host: String, port: Int, isCovered: Bool) throws {
        #expect(try #require(ProxyException(entry)).covers(host, port: port) == isCovered)
    }

    @Test(arguments: [
        "", " ", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "a*b", "host:0", "host:x", "a b", "a/b", ".",
    ])
    func whatIsNoExceptionIsRefused(entry: String) {
        #expect(ProxyException(entry) == nil)
    }

    @Test(arguments: [
        ("wss://x", "http://s:1"), ("https://x", "http://s:1"), ("ws://x", "http://a:2"), ("http://x", "http://a:2"),
        ("wss://local.test", nil), ("ws://local.test", nil),
    ])
    func theSchemeChoosesTheProxy(url: String, proxy: String?) throws {
        var rules = ProxyRules()
        rules.secure = try ProxyAddress("s:1")
        rules.all = try ProxyAddress("a:2")
        rules.exceptions = [try #require(ProxyException("local.test"))]
        let url = try TransportURL(url)
        #expect(rules.proxy(for: url).map { "\($0)" } == proxy)
        rules.secure = nil
        #expect(rules.proxy(for: url).map { "\($0)" } == proxy.map { _ in "http://a:2" })
    }

    /// Each is about the proxy, names it, and is nobody's verdict on a token.
    @Test(arguments: [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "refuses its user name or password (HTTP 407)"),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno", "cannot reach it (HTTP 502)"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n<html>", "refuses to connect to it (HTTP 403)"),
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", "refuses to connect to it (HTTP 401)"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "not HTTP"), ("HTTP/1.1 200 OK\r\n\r\nmore", "more than its answer"),
        ("", "hangs up"),
    ])
    func aProxysRefusalIsTheProxys(answer: String, words: String) async throws {
        let proxy = try await TestServer(answer.isEmpty ? .closes : .raw(answer))
        var options = WebSocketConnection.Options()
        options.route.proxies.secure = try ProxyAddress("http://user:SECRET@127.0.0.1:\(proxy.port)")
        let client = try await TestClient.connect("wss://broker.test/?SECRET", options: options)
        let close = try #require(await client.finish().close)
        #expect(close.refusal == nil)
        let failure = try #require(close.failure)
        #expect(failure.status == fh_status(FH_E_NETWORK))
        let beginning = "wss://broker.test:443: the proxy http://127.0.0.1:\(proxy.port) "
        #expect(failure.message.hasPrefix(beginning) && failure.message.contains(words), "\(failure)")
        #expect(!failure.message.contains("SECRET") && !failure.message.contains("user:"))
        #expect(proxy.accepted == 1)
        try await proxy.stop()
    }

    @Test func aProxyThatIsMuteOrGoneIsNamed() async throws {
        let proxy = try await TestServer(.mute)
        var options = WebSocketConnection.Options()
        options.timeout = 100
        options.route.proxies.all = try ProxyAddress("127.0.0.1:\(proxy.port)")
        let mute = try await TestClient.connect("ws://broker.test/", options: options)
        #expect(await mute.finish().close?.failure?.status == fh_status(FH_E_TIMEOUT))
        try await proxy.stop()
        options.timeout = 10_000
        let gone = try await TestClient.connect("ws://broker.test/", options: options)
        let failure = try #require(await gone.finish().close?.failure)
        #expect(failure.message.contains("the proxy http://127.0.0.1:\(proxy.port): Connection refused"), "\(failure)")
    }

    /// `fh_response.status`, which adapters in C look at.
    @Test(arguments: [
        (101, "", FH_OK, FH_OK), (200, "", FH_OK, FH_E_NETWORK), (400, "words", FH_OK, FH_E_NETWORK),
        (401, "words", FH_E_AUTH, FH_E_AUTH), (403, "{}", FH_E_AUTH, FH_E_AUTH), (403, "", FH_E_NETWORK, FH_E_NETWORK),
        (403, " \n<html>", FH_E_NETWORK, FH_E_NETWORK), (404, "", FH_OK, FH_E_NETWORK),
        (429, "<p>", FH_E_LIMIT, FH_E_LIMIT),
        (500, "", FH_OK, FH_E_NETWORK), (502, "<html>", FH_OK, FH_E_NETWORK),
    ])
    func whatAdaptersAreTold(status: Int, body: String, fetched: Int, upgrade: Int) {
        let answer = HTTPAnswer(
            head: .init(version: .http1_1, status: .init(statusCode: status)), body: ByteBuffer(string: body))
        #expect((answer.outcome, answer.upgradeOutcome) == (fh_status(fetched), fh_status(upgrade)))
    }
}
