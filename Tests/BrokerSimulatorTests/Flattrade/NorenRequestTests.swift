import Testing

@testable import BrokerSimulator

@Suite struct NorenRequestTests {
    @Test func readsLoginsOfBothGenerations() throws {
        let new = #"{"t":"a","uid":"FZ1","actid":"FZ2","source":"API","accesstoken":"new","susertoken":"x"}"#
        let old = #"{"t":"c","uid":"FZ1","actid":"FZ2","susertoken":"old","source":"API"}"#
        guard case .login(let first) = try #require(NorenRequest(new.utf8)),
            case .login(let second) = try #require(NorenRequest(old.utf8))
        else {
            Issue.record("no logins")
            return
        }
        #expect(first.generation == .new && first.user == "FZ1" && first.account == "FZ2" && first.token == "new")
        #expect(second.generation == .old && second.token == "old")
    }

    @Test func readsScrips() {
        let scrips = [NorenScrip(exchange: "NSE", token: "22"), NorenScrip(exchange: "BSE", token: "508123")]
        #expect(NorenRequest(#"{"t":"t","k":"NSE|22#BSE|508123"}"#.utf8) == .subscribe(.touchline, scrips))
        #expect(NorenRequest(#"{"t":"d","k":"NSE|22#BSE|508123"}"#.utf8) == .subscribe(.depth, scrips))
        #expect(
            NorenRequest(#"{"t":"u","k":"NSE|22#"}"#.utf8)
                == .unsubscribe(.touchline, Array(scrips.prefix(1)), echo: "NSE|22#"))
        #expect(
            NorenRequest(#"{"t":"ud","k":"NSE|22"}"#.utf8)
                == .unsubscribe(.depth, Array(scrips.prefix(1)), echo: "NSE|22"))
        #expect(NorenRequest(#"{"t":"t","k":"NSE|#|1#NSE#NSE|1|2"}"#.utf8) == .subscribe(.touchline, []))
    }

    @Test func readsTheSmallOnes() {
        #expect(NorenRequest(#"{"t":"h"}"#.utf8) == .heartbeat)
        #expect(NorenRequest(#"{"t":"o","actid":"FZ1"}"#.utf8) == .subscribeOrders(account: "FZ1"))
        #expect(NorenRequest(#"{"t":"uo"}"#.utf8) == .unsubscribeOrders)
        #expect(NorenRequest(#"{"t":"p","actid":"FZ1"}"#.utf8) == .subscribePositions(account: "FZ1"))
        #expect(NorenRequest(#"{"t":"up"}"#.utf8) == .unsubscribePositions)
    }

    @Test(arguments: ["", "{", "[]", "{}", #"{"t":"x"}"#, #"{"t":1}"#, #"{"t":"t","k":["NSE|22"]}"#])
    func passesOverTheRest(text: String) {
        #expect(NorenRequest(text.utf8) == nil)
    }
}
