import CFeedhostABI
import NIOCore
import NIOHTTP1
import Testing

@testable import Transport

@Suite struct TransportURLTests {
    @Test func partsOfURLs() throws {
        let url = try TransportURL("wss://ws.example.com/stream?token=SECRET")
        #expect((url.host, url.port, url.target) == ("ws.example.com", 443, "/stream?token=SECRET"))
        #expect(url.description == "wss://ws.example.com:443")
        #expect(url.hostField == "ws.example.com")
        let local = try TransportURL("HTTP://[::1]:8080?a=b")
        #expect((local.host, local.port, local.target) == ("::1", 8080, "/?a=b"))
        #expect(local.hostField == "[::1]:8080")
    }

    @Test(arguments: [
        "", "example.com", "ftp://example.com", "ws://", "ws:///x", "ws://user:SECRET@h/", "ws://h:0/SECRET",
        "ws://h:99999/SECRET", "ws://h:8x/SECRET", "ws://h/SECRET#x", "ws://h/SECRET x", "ws://h/\r\nSECRET",
        "ws://[::1/SECRET",
        "ws://[zz]/SECRET", "ws://h_ö/SECRET", "ws://h^/SECRET",
    ])
    func whatIsNoURLIsRefusedWithoutRepeatingIt(text: String) {
        do throws(TransportFailure) {
            _ = try TransportURL(text)
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.status == fh_status(FH_E_INVALID))
            #expect(!error.message.contains("SECRET"))
        }
    }

    @Test func headerFieldsOfTheHostAreItsOwn() throws {
        let url = try TransportURL("wss://h/")
        #expect(try HeaderRules.headers([HeaderField("X-Key", "1")], url: url)["Host"] == ["h"])
        #expect(try HeaderRules.headers([HeaderField("host", "other")], url: url)["Host"] == ["other"])
        for (name, value) in [
            ("Connection", "close"), ("Sec-WebSocket-Key", "x"), ("", "x"), ("A B", "x"), ("A", "SECRET\r\nB: c"),
            ("Content-Length", "5"),
        ] {
            do throws(TransportFailure) {
                _ = try HeaderRules.headers([HeaderField(name, value)], url: url)
                Issue.record("\(name) was taken")
            } catch {
                #expect(!error.message.contains("SECRET"))
            }
        }
    }

    @Test(arguments: [
        ("", true), ("ascii only, and more of it", true), ("12345678é", true), ("é", true), ("🙂 ok", true),
    ])
    func validText(text: String, valid: Bool) {
        #expect(UTF8Text.isValid(ByteBuffer(string: text).readableBytesView) == valid)
    }

    @Test(arguments: [[0xFF], Array("12345678".utf8) + [0xC3], [0xED, 0xA0, 0x80], [0x61, 0x80]] as [[UInt8]])
    func invalidText(bytes: [UInt8]) {
        #expect(!UTF8Text.isValid(ByteBuffer(bytes: bytes).readableBytesView))
    }
}
