import NIOCore
import Testing

@testable import StreamProxy

/// Addresses of listeners, of clients behind proxies, and of web pages.
@Suite struct EntranceTests {
    @Test(arguments: [
        ("ws://127.0.0.1:8766", "ws://127.0.0.1:8766", true),
        ("ws://localhost:0/?coalesce=no", "ws://localhost:0", false),
        ("wss://[::]:8443", "wss://[::]:8443", true), ("unix:/run/a.sock?mode=0666", "unix:/run/a.sock", true),
        ("unix:///run/a.sock?coalesce=off&mode=600", "unix:/run/a.sock", false),
    ]) func listeners(url: String, description: String, coalesces: Bool) throws {
        let address = try ListenerAddress(url)
        #expect(address.description == description && address.coalesces == coalesces)
    }

    @Test(arguments: [
        "", "ws://", "ws://host", "ws://host:", "ws://host:65536", "ws://:1", "ws://a b:1", "ws://::1:80",
        "ws://[::1:80",
        "ws://[x]:80", "ws://host:80/path", "ws://u@host:80", "http://host:80", "ws://host:80?mode=0600",
        "ws://host:80?coalesce", "ws://host:80?coalesce=maybe", "ws://host:80?coalesce=no&coalesce=no",
        "wss://host:80?coalesce=no", "unix:", "unix:relative", "unix:/run/", "unix:/a?mode=8", "unix:/a?mode=1777",
        "unix:/a?mode=06",
    ]) func wrongListeners(url: String) {
        #expect(throws: ListenerAddress.InvalidURL.self) { try ListenerAddress(url) }
        do { _ = try ListenerAddress(url) } catch { #expect(error.description.hasPrefix(url)) }
    }

    @Test func aUnixPathFits() throws {
        let longest = "unix:/" + String(repeating: "x", count: 99)
        #expect(try ListenerAddress(longest).description == longest)
        #expect(throws: ListenerAddress.InvalidURL.self) { try ListenerAddress(longest + "x") }
    }

    @Test func whatIsReadableOnItsWay() throws {
        for url in [
            "ws://127.0.0.1:1", "ws://127.9.9.9:1", "ws://localhost:1", "ws://[::1]:1", "wss://0.0.0.0:1", "unix:/a",
        ] {
            #expect(try !ListenerAddress(url).isExposed, "\(url)")
        }
        for url in ["ws://0.0.0.0:1", "ws://[::]:1", "ws://10.0.0.1:1", "ws://trade.example.com:1"] {
            #expect(try ListenerAddress(url).isExposed, "\(url)")
        }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("0.0.0.0/0", "192.0.2.1", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1/32", "::ffff:192.0.2.1", true), ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false), ("2001:db8::/65", "2001:db8::7fff:0:0:1", true),
        ("2001:db8::/65", "2001:db8::8000:0:0:1", false), ("::1", "127.0.0.1", false),
    ]) func ranges(range: String, address: String, isIn: Bool) throws {
        let range = try #require(AddressRange(range))
        #expect(range.contains(try #require(PeerAddress(address))) == isIn)
    }

    @Test(arguments: [
        "", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "host", "1.2.3.4 ",
    ])
    func wrongRanges(text: String) { #expect(AddressRange(text) == nil) }

    @Test(arguments: [
        ([], "10.0.0.1"), (["192.0.2.7"], "192.0.2.7"),
        // The client's own words stand left of what the proxy saw.
        (["1.1.1.1, 192.0.2.7"], "192.0.2.7"), (["1.1.1.1", "192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7, 10.0.0.2, 10.0.0.3"], "192.0.2.7"), (["10.0.0.9,10.0.0.2"], "10.0.0.9"),
        (["2001:db8::1"], "2001:db8::1"), (["[2001:db8::1]:443"], "2001:db8::1"), (["192.0.2.7:80"], "192.0.2.7"),
        (["::ffff:192.0.2.7"], "192.0.2.7"),
        // Nothing is read past what is no address.
        (["192.0.2.7, unknown"], "10.0.0.1"), (["192.0.2.7, ,10.0.0.2"], "10.0.0.2"), (["192.0.2.7:x"], "10.0.0.1"),
        (["192.0.2.7:99999"], "10.0.0.1"), (["[192.0.2.7"], "10.0.0.1"), ([""], "10.0.0.1"),
        ([String(repeating: "9", count: 10_000)], "10.0.0.1"),
    ]) func forwardedClients(fields: [String], client: String) throws {
        let forwarded = ForwardedClient(trusted: [try #require(AddressRange("10.0.0.0/8"))])
        let proxy = try #require(PeerAddress("10.0.0.1"))
        #expect(forwarded.address(of: proxy, isUnix: false, fields).description == client)
        let stranger = try #require(PeerAddress("198.51.100.1"))
        #expect(forwarded.address(of: stranger, isUnix: false, fields) == stranger)
    }

    @Test func aUnixSocketIsTrusted() {
        let forwarded = ForwardedClient(trusted: [])
        #expect(forwarded.address(of: .local, isUnix: true, ["192.0.2.7"]).description == "192.0.2.7")
        #expect(forwarded.address(of: .local, isUnix: true, [String]()) == .local)
    }

    @Test(arguments: [
        ("https://trade.example.com", "https://trade.example.com", true),
        ("https://Trade.example.com:443", "https://trade.EXAMPLE.com", true),
        ("https://trade.example.com", "http://trade.example.com", false),
        ("https://trade.example.com", "https://trade.example.com:8443", false),
        ("https://trade.example.com", "https://trade.example.com.evil.net", false),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000", true), ("http://127.0.0.1:5000", "null", false),
        ("*.example.com", "https://a.b.example.com:1", true), ("*.example.com", "https://example.com", false),
        ("*.example.com", "https://evilexample.com", false), ("*.example.com", "https://x.example.com@evil.net", false),
        ("same-host", "https://me.example", true), ("same-host", "http://me.example:5000", true),
        ("same-host", "http://you.example", false), ("same-host", "null", false),
    ]) func origins(rule: String, origin: String, isAllowed: Bool) throws {
        #expect(try #require(OriginRule(rule)).allows(origin, host: "me.example:8765") == isAllowed)
    }

    @Test(arguments: ["", "example.com", "*.", "*.a b", "https://", "https://a/b", "*", "https://*.example.com/"])
    func wrongOrigins(text: String) { #expect(OriginRule(text) == nil) }
}
