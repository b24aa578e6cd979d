import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing

@Suite struct NorenSessionTests {
    private func connecting(_ broker: Int = 0, settings: [String: String] = [:]) throws -> InMemoryHost {
        let host = try InMemoryHost(norenEntry, adapter: broker, settings: settings)
        host.connect(accessToken: "TOKEN", fields: ["user_id": "FZ00000"])
        host.acceptUpgrade()
        return host
    }

    @Test(arguments: [
        (0, "flattrade", "wss://piconnect.flattrade.in/PiConnectWSAPI/"),
        (1, "shoonya", "wss://api.shoonya.com/NorenWSAPI/"), (2, "zebu", "wss://go.mynt.in/NorenWSAPI/"),
        (3, "tradesmart", "wss://v2api.tradesmartonline.in/NorenWSAPI/"),
    ])
    func logsIn(broker: Int, key: String, url: String) throws {
        let host = try connecting(broker)
        #expect(String(cString: host.descriptor.pointee.broker) == key)
        #expect((host.sockets[0].url, host.sockets[0].headers) == (url, []))
        #expect(host.sockets[0].sentText == [norenLogin])
        #expect(host.connections.map(\.state) == [UInt32(FH_CONN_CONNECTING), UInt32(FH_CONN_AUTHENTICATING)])
        #expect(host.subscribe([host.wish("NSE|22", FH_MODE_LTP)]) == .wrongState, "not before the answer")
        host.deliver(#"{"t":"ak","uid":"FZ00000","s":"OK"}"#)
        #expect(host.connections.last?.state == UInt32(FH_CONN_READY))
        #expect(host.sockets[0].sentText == [norenLogin])
    }

    @Test(arguments: ["OK", "Ok", "ok"], ["ak", "ck"])
    func comparesTheAnswerWithoutCase(word: String, type: String) throws {
        let host = try connecting(settings: ["protocol": "old"])
        #expect(
            host.sockets[0].sentText
                == [#"{"t":"c","uid":"FZ00000","actid":"FZ00000","susertoken":"TOKEN","source":"API"}"#])
        host.deliver(#"{"t":"\#(type)","uid":"FZ00000","s":"\#(word)"}"#)
        #expect(host.connections.last?.state == UInt32(FH_CONN_READY))
    }

    @Test(arguments: [
        #"{"t":"ak","uid":"FZ00000","s":"Not_Ok"}"#, #"{"t":"ck","s":"NOT_OK","emsg":"Session TOKEN expired"}"#,
        #"{"t":"ak"}"#, #"{"stat":"Not_Ok","emsg":"Invalid Session Key"}"#,
    ])
    func closesAfterARefusal(text: String) throws {
        let host = try connecting()
        host.deliver(text)
        let last = try #require(host.connections.last)
        #expect((last.state, last.reason) == (UInt32(FH_CONN_DISCONNECTED), UInt32(FH_WHY_AUTH_REJECTED)))
        #expect(last.retryAfter == 30_000)
        #expect(last.message.hasPrefix("Flattrade has refused the login"))
        #expect(host.sockets[0].closeCode == 1_000, "the server would leave it open and mute")
        #expect(host.timerCount == 0)
        #expect(!(host.log + host.connections.map(\.message)).contains { $0.contains("TOKEN") })
    }

    @Test func givesUpWithoutAnAnswer() throws {
        let host = try connecting()
        host.advance(by: .milliseconds(11_999))
        #expect(host.connections.last?.state == UInt32(FH_CONN_AUTHENTICATING))
        host.advance(by: .milliseconds(1))
        #expect(host.connections.last?.reason == UInt32(FH_WHY_NETWORK))
        #expect(host.connections.last?.message == "Flattrade has not answered the login within 12 s")
        #expect(host.sockets[0].closeCode == 1_000)
    }

    @Test func namesWhatIsMissing() throws {
        let host = try InMemoryHost(norenEntry, adapter: 1)
        #expect(host.connect(fields: ["user_id": "FZ00000"]) == .authentication)
        #expect(host.connect(accessToken: "TOKEN") == .authentication)
        #expect(host.log.count == 2)
        #expect(host.log[0].contains("Shoonya needs access_token"))
        #expect(host.log[1].contains("Shoonya needs user_id"))
        #expect(host.sockets.isEmpty)
    }

    @Test func takesTheClientFromAnOpenAlgoKeyAndEscapesIt() throws {
        let host = try InMemoryHost(norenEntry)
        host.connect(accessToken: "TO\"K\\EN\n", fields: ["api_key": "FZ00000:::abcdef"])
        host.acceptUpgrade()
        #expect(
            host.sockets[0].sentText
                == [#"{"t":"a","uid":"FZ00000","actid":"FZ00000","source":"API","accesstoken":"TO\"K\\EN\u000a"}"#])
    }

    @Test func beatsEvery30Seconds() throws {
        let host = try openNoren()
        host.advance(by: .seconds(29))
        #expect(host.requests.isEmpty)
        host.advance(by: .seconds(31))
        host.deliver(#"{"t":"hk","hk":"1638512684"}"#)
        host.advance(by: .seconds(30))
        #expect(host.requests == Array(repeating: #"{"t":"h"}"#, count: 3))
        host.deliver(#"{"t":"h"}"#)
        #expect(host.metrics.isEmpty)
    }

    /// The socket is open, and nothing comes: such a session never recovers.
    @Test func aMuteSessionIsRenewed() throws {
        let host = try openNoren()
        host.advance(by: .seconds(60))
        host.deliver(#"{"t":"hk","hk":"1638512684"}"#)
        host.advance(by: .milliseconds(74_999))
        #expect(host.connections.last?.state == UInt32(FH_CONN_READY))
        host.advance(by: .milliseconds(1))
        let last = try #require(host.connections.last)
        #expect((last.state, last.reason) == (UInt32(FH_CONN_DISCONNECTED), UInt32(FH_WHY_NETWORK)))
        #expect(last.message == "Flattrade has sent nothing for 75 s, not even answers to heartbeats")
        #expect(host.sockets[0].closeCode == 1_000)
        #expect(host.timerCount == 0)
    }

    @Test func howLongASessionMayBeSilentIsASetting() throws {
        let host = try openNoren(settings: ["silence": "10"])
        host.advance(by: .seconds(8))
        #expect(host.requests == Array(repeating: #"{"t":"h"}"#, count: 2))
        #expect(host.connections.last?.state == UInt32(FH_CONN_READY))
        host.advance(by: .seconds(2))
        #expect(host.connections.last?.state == UInt32(FH_CONN_DISCONNECTED))
    }

    @Test func ticksAreASignOfLife() throws {
        let host = try openNoren()
        host.want(["NSE|22"], FH_MODE_LTP)
        for _ in 0..<20 {
            host.advance(by: .seconds(30))
            host.deliver(feed("tf", "NSE|22", [("lp", "6.00")]))
        }
        #expect(host.connections.last?.state == UInt32(FH_CONN_READY))
    }

    @Test func aSecondLoginElsewhereIsToldAsSuch() throws {
        let host = try openNoren()
        host.drop(code: 1_000)
        let last = try #require(host.connections.last)
        #expect((last.state, last.reason) == (UInt32(FH_CONN_DISCONNECTED), UInt32(FH_WHY_REPLACED)))
        #expect(last.retryAfter == 60_000)
    }

    @Test func whoHasTheSessionIsSaidIfTheBrokerSaysIt() throws {
        let host = try openNoren()
        host.deliver(#"{"t":"x","s":"Not_Ok","emsg":"Logged in from 10.1.2.3"}"#)
        host.drop(code: 1_000)
        #expect(
            host.connections.last?.message
                == "Flattrade has closed the session, as it does when the account logs in elsewhere; it said: \"Logged in from 10.1.2.3\""
        )
        // What was said long before has nothing to do with it.
        let other = try openNoren()
        other.deliver(#"{"t":"x","s":"Not_Ok","emsg":"No data"}"#)
        other.advance(by: .seconds(6))
        other.drop(code: 1_000)
        #expect(other.connections.last?.message.contains("No data") == false)
    }

    @Test func otherEndsAreTheNetwork() throws {
        for code in [UInt32(1_006), 1_001, 1_011] {
            let host = try openNoren()
            host.drop(code: code)
            #expect(host.connections.last?.reason == UInt32(FH_WHY_NETWORK))
        }
        let early = try connecting()
        early.drop(code: 1_000)
        #expect(early.connections.last?.reason == UInt32(FH_WHY_NETWORK), "nobody was logged in yet")
    }

    /// The login goes through the open socket: who refuses the upgrade has not seen the token.
    @Test(
        arguments: [400, 401, 403, 404, 429, 500, 502, 503] as [Int32],
        ["", "<html>403 Forbidden</html>", "Forbidden", #"{"stat":"Not_Ok","emsg":"Session Expired"}"#])
    func refusedUpgrades(status: Int32, body: String) throws {
        let host = try InMemoryHost(norenEntry)
        host.connect(accessToken: "TOKEN", fields: ["user_id": "FZ00000"])
        host.drop(httpStatus: status, headers: status >= 429 ? ["Retry-After": "9"] : [:], body: body)
        let event = try #require(host.connections.last)
        #expect(event.state == UInt32(FH_CONN_DISCONNECTED))
        #expect(event.reason == UInt32(status == 429 ? FH_WHY_RATE_LIMITED : FH_WHY_NETWORK))
        #expect(event.retryAfter == UInt32(status >= 429 ? 9_000 : 0))
        #expect(event.message.contains("HTTP \(status)") && !event.message.contains("<"))
        #expect(event.message.contains("no verdict") == [400, 401, 403].contains(status))
    }

    @Test func usesFreshCredentialsAndRemembersNothing() throws {
        let host = try openNoren()
        host.want(["NSE|22"], FH_MODE_QUOTE)
        host.deliver(feed("tk", "NSE|22", [("lp", "5.00"), ("bp1", "4.00"), ("bq1", "1")]))
        host.drop()
        host.logIn(token: "TOMORROW")
        #expect(host.sockets.count == 2)
        #expect(host.sockets[1].sentText == [norenLogin.replacingToken("TOMORROW")])
        let count = host.tickCount
        host.deliver(feed("tf", "NSE|22", [("lp", "6.00")]))
        #expect(host.tickCount == count, "nobody has asked for it in this session")
        host.want(["NSE|22"], FH_MODE_QUOTE)
        #expect(host.requests == [#"{"t":"t","k":"NSE|22"}"#])
        host.deliver(feed("tf", "NSE|22", [("lp", "6.00"), ("bq1", "2")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_LTP), "the bid of the session before is forgotten")
    }

    @Test func answersOfNoUseAreCountedAndRefusalsLogged() throws {
        let host = try openNoren()
        for text in [#"{"t":"uk","k":"NSE|22"}"#, #"{"t":"udk","k":"NSE|22"}"#, #"{"t":"uok"}"#, #"{"t":"ok"}"#] {
            host.deliver(text)
        }
        #expect(host.metrics.isEmpty)
        host.deliver(#"{"t":"pm","prd":"C"}"#)
        host.deliver(#"{"stat":"Not_Ok","emsg":"Server busy"}"#)
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 2)
        #expect(host.log == ["Flattrade says: Server busy"])
        #expect(host.connections.last?.state == UInt32(FH_CONN_READY))
        host.deliver(#"{"t":"ak","s":"Not_Ok"}"#)
        #expect(host.connections.last?.reason == UInt32(FH_WHY_AUTH_EXPIRED))
    }

    @Test(arguments: [
        ["protocol": "middle"], ["endpoint": "https://here"], ["cooldown": "-1"], ["cooldown": "4000"],
        ["silence": "4"], ["silence": "101"],
    ])
    func refusesSettingsThatMakeNoSense(settings: [String: String]) {
        #expect(throws: InMemoryHost.LoadFailure.self) { try InMemoryHost(norenEntry, settings: settings) }
    }

    @Test func declaresOneSessionThatStays() throws {
        let host = try InMemoryHost(norenEntry)
        let capabilities = try #require(host.descriptor.pointee.capabilities).pointee
        #expect(capabilities.flags & UInt32(FH_CAP_EXCLUSIVE_SESSION) != 0)
        #expect(capabilities.keep_alive_ms == .max)
        #expect(capabilities.data_silence_ms > 0 && capabilities.off_hours_silence_ms > 0)
        #expect(capabilities.order_stream == UInt32(FH_ORDERS_SAME_SOCKET))
        #expect((capabilities.link_count, capabilities.links[0].max_links) == (1, 1))
        #expect((capabilities.links[0].batch, capabilities.links[0].per_second) == (100, 10))
    }
}

extension String {
    fileprivate func replacingToken(_ token: String) -> String {
        split(separator: "TOKEN", omittingEmptySubsequences: false).joined(separator: token)
    }
}
