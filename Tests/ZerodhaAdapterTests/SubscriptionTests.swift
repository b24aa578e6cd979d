import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing
import ZerodhaAdapter

@Suite struct ZerodhaSubscriptionTests {
    @Test func subscribesAndThenSetsTheMode() throws {
        let host = try openZerodha()
        host.subscribe([
            host.wish(Token.infy, FH_MODE_DEPTH), host.wish(Token.tcs, FH_MODE_LTP),
            host.wish(Token.nifty, FH_MODE_QUOTE, on: "NSE_INDEX"),
            host.wish(Token.sensex, FH_MODE_QUOTE, on: "BSE_INDEX"),
        ])
        #expect(
            host.takeSent() == [
                #"{"a":"subscribe","v":[408065,2953217,256265,265]}"#, #"{"a":"mode","v":["ltp",[2953217]]}"#,
                #"{"a":"mode","v":["quote",[256265,265]]}"#, #"{"a":"mode","v":["full",[408065]]}"#,
            ])
        #expect(host.results.map(\.outcome) == Array(repeating: UInt32(FH_SUB_SENT_NO_ACK), count: 4))
        #expect(host.resultCalls == 1)
    }

    @Test func changesAModeAndNothingElse() throws {
        let host = try openZerodha()
        host.subscribe([host.wish(Token.infy, FH_MODE_LTP), host.wish(Token.tcs, FH_MODE_QUOTE)])
        _ = host.takeSent()
        host.subscribe([host.wish(Token.infy, FH_MODE_DEPTH)])
        #expect(host.takeSent() == [#"{"a":"mode","v":["full",[408065]]}"#])
        host.subscribe([host.wish(Token.infy, FH_MODE_LTP)])
        #expect(host.takeSent() == [#"{"a":"mode","v":["ltp",[408065]]}"#])
        host.subscribe([host.wish(Token.infy, FH_MODE_LTP)])
        #expect(host.takeSent().isEmpty)
        #expect(host.results.count == 5)
        host.deliver(binary: kiteMessage(.numbered(44, token: Token.tcs), .numbered(8, token: Token.infy)))
        #expect(host.ticks.map(\.record.instrument) == [2, 1])
    }

    /// After a downgrade nothing of the richer mode is left behind.
    @Test func marksThePoorerPacketsOfADowngradeAsAllThatIsKnown() throws {
        let host = try openZerodha()
        host.subscribe([host.wish(Token.infy, FH_MODE_DEPTH)])
        host.deliver(binary: kiteMessage(.numbered(44, token: Token.infy)))
        host.subscribe([host.wish(Token.infy, FH_MODE_QUOTE)])
        host.deliver(binary: kiteMessage(.numbered(44, token: Token.infy)))
        #expect(host.ticks.map { $0.record.flags & UInt16(FH_TF_SNAPSHOT) != 0 } == [false, true])
    }

    @Test func unsubscribes() throws {
        let host = try openZerodha()
        host.subscribe([host.wish(Token.infy, FH_MODE_LTP), host.wish(Token.tcs, FH_MODE_LTP)])
        _ = host.takeSent()
        host.unsubscribe([host.wish(Token.tcs, FH_MODE_LTP)])
        host.unsubscribe([host.wish(Token.tcs, FH_MODE_LTP)])
        #expect(host.takeSent() == [#"{"a":"unsubscribe","v":[2953217]}"#])
        host.deliver(binary: kiteMessage(.numbered(8, token: Token.tcs), .numbered(8, token: Token.infy)))
        #expect(host.ticks.map(\.record.instrument) == [1])
        host.subscribe([host.wish(Token.tcs, FH_MODE_QUOTE)])
        #expect(
            host.takeSent() == [#"{"a":"subscribe","v":[2953217]}"#, #"{"a":"mode","v":["quote",[2953217]]}"#])
    }

    @Test func keepsFramesSmall() throws {
        let host = try openZerodha()
        let tokens = (1...450).map { UInt32($0 * 256 + 1) }
        host.subscribe(tokens.map { host.wish($0, FH_MODE_DEPTH) })
        let sent = host.takeSent()
        #expect(sent.map { $0.split(separator: ",").count } == [201, 202, 201, 202, 51, 52])
        #expect(sent.map { $0.hasPrefix(#"{"a":"subscribe""#) } == [true, false, true, false, true, false])
        host.unsubscribe(tokens.map { host.wish($0, FH_MODE_DEPTH) })
        #expect(host.takeSent().map { $0.split(separator: ",").count } == [201, 201, 51])
    }

    @Test func refusesWhatHasNoToken() throws {
        let host = try openZerodha()
        host.subscribe([
            host.wish("NSE", "RELIANCE", FH_MODE_LTP), host.wish("NSE", "ODD", FH_MODE_LTP, token: ("NSE", "12x")),
            host.wish("NSE", "NIL", FH_MODE_LTP, token: ("NSE", "0")), host.wish(Token.infy, FH_MODE_LTP),
        ])
        #expect(host.results.count == 4)
        let refused = host.results.filter { $0.outcome == UInt32(FH_SUB_REJECTED) }
        #expect(refused.map(\.status) == [.unknownInstrument, .unknownInstrument, .unknownInstrument])
        #expect(
            refused.map(\.message) == [
                "RELIANCE on NSE has no Kite token; load the instruments with: feedhost instruments sync zerodha",
                "ODD on NSE has the token \"12x\", which is no Kite token; load the instruments again",
                "NIL on NSE has the token \"0\", which is no Kite token; load the instruments again",
            ])
        #expect(host.takeSent() == [#"{"a":"subscribe","v":[408065]}"#, #"{"a":"mode","v":["ltp",[408065]]}"#])
    }

    @Test func takesATokenAsOpenAlgoStoresIt() throws {
        let host = try openZerodha()
        host.subscribe([host.wish("NSE", "RELIANCE", FH_MODE_LTP, token: ("NSE", "738561::::2885"))])
        #expect(host.takeSent().first == #"{"a":"subscribe","v":[738561]}"#)
    }

    @Test func grantsFiveLevels() throws {
        let host = try openZerodha()
        host.subscribe([host.wish("NSE", "INFY", FH_MODE_DEPTH, depth: 20, token: ("NSE", "408065"))])
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_DOWNGRADED)])
        #expect(host.results.map(\.depth) == [5])
    }

    /// Tokens of derivatives are used again after expiry, and the host looks them up for every call.
    @Test func followsATokenThatIsUsedAgain() throws {
        let host = try openZerodha()
        let first = host.wish("NFO", "A", FH_MODE_LTP, token: ("NFO", "514"))
        let second = host.wish("NFO", "B", FH_MODE_LTP, token: ("NFO", "514"))
        host.subscribe([first])
        host.subscribe([second])
        host.unsubscribe([first])
        #expect(host.takeSent() == [#"{"a":"subscribe","v":[514]}"#, #"{"a":"mode","v":["ltp",[514]]}"#])
        host.deliver(binary: kiteMessage(.numbered(8, token: 514)))
        #expect(host.ticks.map(\.record.instrument) == [2])

        host.subscribe([host.wish("NFO", "B", FH_MODE_LTP, token: ("NFO", "770"))])
        #expect(
            host.takeSent() == [
                #"{"a":"unsubscribe","v":[514]}"#, #"{"a":"subscribe","v":[770]}"#, #"{"a":"mode","v":["ltp",[770]]}"#,
            ])
        // Its token has changed by the time it goes: what was subscribed is what has to end.
        host.unsubscribe([host.wish("NFO", "B", FH_MODE_LTP, token: ("NFO", "1026"))])
        #expect(host.takeSent() == [#"{"a":"unsubscribe","v":[770]}"#])
    }

    @Test func followsATokenWithinOneCall() throws {
        let host = try openZerodha()
        host.subscribe([
            host.wish("NFO", "A", FH_MODE_LTP, token: ("NFO", "514")),
            host.wish("NFO", "A", FH_MODE_QUOTE, token: ("NFO", "514")),
            host.wish("NFO", "B", FH_MODE_LTP, token: ("NFO", "770")),
            host.wish("NFO", "B", FH_MODE_LTP, token: ("NFO", "1026")),
        ])
        #expect(
            host.takeSent() == [
                #"{"a":"unsubscribe","v":[770]}"#, #"{"a":"subscribe","v":[514,1026]}"#,
                #"{"a":"mode","v":["ltp",[1026]]}"#, #"{"a":"mode","v":["quote",[514]]}"#,
            ])
        // One takes over what the other gives up.
        host.subscribe([
            host.wish("NFO", "A", FH_MODE_LTP, token: ("NFO", "770")),
            host.wish("NFO", "B", FH_MODE_LTP, token: ("NFO", "514")),
        ])
        #expect(
            host.takeSent() == [
                #"{"a":"unsubscribe","v":[514,1026]}"#, #"{"a":"subscribe","v":[770,514]}"#,
                #"{"a":"mode","v":["ltp",[770,514]]}"#,
            ])
        host.deliver(binary: kiteMessage(.numbered(8, token: 514), .numbered(8, token: 770)))
        #expect(host.ticks.map(\.record.instrument) == [2, 1])
    }

    /// Kite would have other subscriptions than are wanted; a new connection starts from what is wanted.
    @Test func givesUpAConnectionThatTakesNoRequests() throws {
        let host = try openZerodha()
        host.sockets.removeAll()
        host.subscribe([host.wish(Token.infy, FH_MODE_LTP)])
        #expect(host.connections.last?.state == UInt32(FH_CONN_DISCONNECTED))
        #expect(host.connections.last?.reason == UInt32(FH_WHY_NETWORK))
        #expect(host.results.isEmpty)
        host.connect(accessToken: "token1", fields: ["api_key": "key1"])
        host.acceptUpgrade()
        host.subscribe([host.wish(Token.infy, FH_MODE_LTP)])
        #expect(host.takeSent() == [#"{"a":"subscribe","v":[408065]}"#, #"{"a":"mode","v":["ltp",[408065]]}"#])
    }

    @Test func finds3000InstrumentsAfterManyChanges() throws {
        let host = try openZerodha()
        var random = SeededNumbers(seed: 7)
        var wanted: Set<UInt32> = []
        let all = (1...4_000).map { UInt32($0 * 256 + [1, 2, 3, 7, 9][$0 % 5]) }
        for _ in 0..<60 {
            let batch = (0..<100).map { _ in all[Int.random(in: 0..<all.count, using: &random)] }
            if Bool.random(using: &random), wanted.count + 100 <= 3_000 {
                host.subscribe(batch.map { host.wish($0, FH_MODE_LTP) })
                wanted.formUnion(batch)
            } else {
                host.unsubscribe(batch.map { host.wish($0, FH_MODE_LTP) })
                wanted.subtract(batch)
            }
            host.ticks.removeAll()
            host.deliver(binary: kiteMessage(all.map { KitePacket(8, token: $0).bytes }))
            let heard = Set(host.ticks.map(\.record.instrument))
            #expect(heard == Set(wanted.map { host.wish($0, FH_MODE_LTP).handle }))
            #expect(host.ticks.count == wanted.count)
        }
        #expect(wanted.count > 500)
    }
}
