import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing

@Suite struct AngelSubscriptionTests {
    private func outcomes(_ host: InMemoryHost) -> [UInt32] { host.results.map(\.outcome) }

    @Test func groupsTokensByModeAndSegment() throws {
        let host = try openAngel()
        host.subscribe([
            host.share("10626", FH_MODE_LTP), host.share("234230", FH_MODE_LTP, on: "MCX"),
            host.share("35", FH_MODE_QUOTE, on: "NFO"), host.share("5290", FH_MODE_LTP),
            host.share("99926000", FH_MODE_LTP, on: "NSE_INDEX", segment: "NSE"),
            host.share("1", FH_MODE_DEPTH, depth: 5, on: "CDS"), host.share("2", FH_MODE_QUOTE, on: "BFO"),
            host.share("500325", FH_MODE_LTP, on: "BSE"), host.share("8", FH_MODE_LTP, on: "NCDEX"),
        ])
        #expect(
            host.requests == [
                request(1, 1, (1, ["10626", "5290", "99926000"]), (3, ["500325"]), (5, ["234230"]), (7, ["8"])),
                request(1, 2, (2, ["35"]), (4, ["2"])), request(1, 3, (13, ["1"])),
            ])
        host.unsubscribe([host.share("10626", FH_MODE_LTP), host.share("35", FH_MODE_QUOTE, on: "NFO")])
        #expect(host.requests.dropFirst(3) == [request(0, 1, (1, ["10626"])), request(0, 2, (2, ["35"]))])
    }

    @Test func writesTheDocumentedBytes() throws {
        let host = try openAngel()
        host.subscribe([
            host.share("10626", FH_MODE_LTP), host.share("5290", FH_MODE_LTP),
            host.share("234230", FH_MODE_LTP, on: "MCX"),
        ])
        #expect(
            host.sockets[0].sentText == [
                #"{"correlationID":"fh00000001","action":1,"params":{"mode":1,"tokenList":[{"exchangeType":1,"tokens":["10626","5290"]},{"exchangeType":5,"tokens":["234230"]}]}}"#
            ])
    }

    @Test func confirmsWithTheFirstPacketOfTheMode() throws {
        let host = try openAngel()
        host.subscribe([host.share("11", FH_MODE_QUOTE)])
        #expect(host.results.isEmpty)
        host.deliver(WireRecord().packet(1, token: "11"))
        #expect(host.results.isEmpty)
        host.deliver(WireRecord().packet(2, token: "11"))
        #expect(outcomes(host) == [UInt32(FH_SUB_ACKED)])
        host.advance(by: .seconds(5))
        #expect(host.results.count == 1)
    }

    @Test func doesNotWaitLongForTheFirstPacket() throws {
        let host = try openAngel()
        host.subscribe([host.share("11", FH_MODE_QUOTE), host.share("12", FH_MODE_LTP)])
        host.advance(by: .milliseconds(499))
        #expect(host.results.isEmpty)
        host.advance(by: .milliseconds(1))
        #expect(outcomes(host) == [UInt32(FH_SUB_SENT_NO_ACK), UInt32(FH_SUB_SENT_NO_ACK)])
    }

    @Test func sendsNothingForWhatIsSubscribedAlready() throws {
        let host = try openAngel()
        host.settled([host.share("11", FH_MODE_QUOTE)])
        host.subscribe([host.share("11", FH_MODE_QUOTE)])
        #expect(host.requests.count == 1)
        #expect(outcomes(host) == [UInt32(FH_SUB_SENT_NO_ACK), UInt32(FH_SUB_SENT_NO_ACK)])
        host.unsubscribe([host.share("12", FH_MODE_QUOTE)])
        #expect(host.requests.count == 1)
    }

    @Test func takesTheNewModeBeforeItLeavesTheOld() throws {
        let host = try openAngel()
        host.settled([host.share("11", FH_MODE_LTP), host.share("12", FH_MODE_LTP)])
        host.settled([host.share("11", FH_MODE_DEPTH, depth: 5)])
        #expect(host.requests.dropFirst() == [request(1, 3, (1, ["11"])), request(0, 1, (1, ["11"]))])
        host.settled([host.share("11", FH_MODE_QUOTE)])
        #expect(host.requests.dropFirst(3) == [request(1, 2, (1, ["11"])), request(0, 3, (1, ["11"]))])
        // The other instrument has not been touched.
        host.deliver(WireRecord().packet(1, token: "12"))
        #expect(host.ticks.last?.record.instrument == host.share("12", FH_MODE_LTP).handle)
        host.unsubscribe([host.share("11", FH_MODE_QUOTE)])
        #expect(host.requests.dropFirst(5) == [request(0, 2, (1, ["11"]))])
    }

    @Test func leavesTheOldModeFirstWhenTheQuotaIsFull() throws {
        let host = try openAngel()
        host.settled((1...1_000).map { host.share("\($0)", FH_MODE_LTP) })
        host.settled([host.share("11", FH_MODE_QUOTE)])
        #expect(host.requests.dropFirst() == [request(0, 1, (1, ["11"])), request(1, 2, (1, ["11"]))])
        host.unsubscribe([host.share("12", FH_MODE_LTP)])
        host.settled([host.share("11", FH_MODE_LTP)])
        #expect(host.requests.dropFirst(4) == [request(1, 1, (1, ["11"])), request(0, 2, (1, ["11"]))])
    }

    @Test func letsTheLaterOfTwoWishesCount() throws {
        let host = try openAngel()
        host.settled([host.share("11", FH_MODE_LTP)])
        host.settled([host.share("11", FH_MODE_QUOTE), host.share("11", FH_MODE_LTP)])
        #expect(host.requests == [request(1, 1, (1, ["11"]))])
        host.deliver(WireRecord().packet(1, token: "11"))
        #expect(host.tickCount == 1)
    }

    @Test func tellsSegmentsApart() throws {
        let host = try openAngel()
        let (share, future) = (host.share("35", FH_MODE_LTP), host.share("35", FH_MODE_LTP, on: "NFO"))
        host.settled([share, future])
        host.deliver(WireRecord().packet(1, segment: 2, token: "35"))
        host.deliver(WireRecord().packet(1, segment: 1, token: "35"))
        host.deliver(WireRecord().packet(1, segment: 3, token: "35"))
        #expect(host.ticks.map(\.record.instrument) == [future.handle, share.handle])
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 1)
    }

    @Test func ignoresLatePacketsOfWhatWasUnsubscribed() throws {
        let host = try openAngel()
        host.settled([host.share("11", FH_MODE_LTP)])
        host.unsubscribe([host.share("11", FH_MODE_LTP)])
        host.deliver(WireRecord().packet(1, token: "11"))
        #expect(host.tickCount == 0 && host.metric(FH_M_FRAMES_IGNORED) == 1 && host.metric(FH_M_FRAMES_BAD) == 0)
    }

    static let impossible: [(String, String, String, String)] = [
        ("NSE", "NSE", "", "feedhost instruments sync angel"), ("NSE", "NSE", "12x", "no token of Angel One"),
        ("NSE", "NSE", "007", "no token of Angel One"), ("NSE", "NSE", "12345678901234567", "no token of Angel One"),
        ("NCO", "NCO", "7", "does not carry the segment NCO"), ("NSE", "XYZ", "7", "does not carry the segment XYZ"),
    ]

    @Test(arguments: impossible)
    func refusesWhatItCannotIdentify(exchange: String, segment: String, token: String, why: String) throws {
        let host = try openAngel()
        host.settled([
            host.wish(exchange, "BAD", FH_MODE_LTP, token: (segment, token)), host.share("11", FH_MODE_LTP),
        ])
        #expect(outcomes(host) == [UInt32(FH_SUB_REJECTED), UInt32(FH_SUB_SENT_NO_ACK)])
        #expect(host.results[0].status == .unknownInstrument)
        #expect(host.results[0].message.contains(why) && host.results[0].message.contains("BAD"))
        #expect(host.requests == [request(1, 1, (1, ["11"]))])
    }

    @Test func refusesASecondSymbolForOneToken() throws {
        let host = try openAngel()
        host.settled([host.share("11", FH_MODE_LTP)])
        host.subscribe([host.wish("NSE", "TWIN", FH_MODE_LTP, token: ("NSE", "11"))])
        #expect(host.results.last?.outcome == UInt32(FH_SUB_REJECTED))
        #expect(host.results.last?.message.contains("NSE:TWIN") == true)
    }

    @Test func followsAnInstrumentToItsNewToken() throws {
        let host = try openAngel()
        host.settled([host.wish("NFO", "F", FH_MODE_LTP, token: ("NFO", "35"))])
        host.settled([host.wish("NFO", "F", FH_MODE_LTP, token: ("NFO", "36"))])
        #expect(host.requests.dropFirst() == [request(0, 1, (2, ["35"])), request(1, 1, (2, ["36"]))])
    }

    @Test func findsEveryInstrumentAmongManyThatComeAndGo() throws {
        var random = SeededNumbers(seed: 7)
        let host = try openAngel()
        var held: Set<Int> = []
        for _ in 0..<300 {
            let chosen = Set((0..<10).map { _ in Int.random(in: 1...400, using: &random) * 64 })
            let wishes = chosen.map { host.share("\($0)", FH_MODE_LTP) }
            if Bool.random(using: &random) {
                host.settled(wishes)
                held.formUnion(chosen)
            } else {
                host.unsubscribe(wishes)
                held.subtract(chosen)
            }
        }
        for number in 1...400 {
            let before = host.tickCount
            host.deliver(WireRecord().packet(1, token: "\(number * 64)"))
            #expect(host.tickCount - before == (held.contains(number * 64) ? 1 : 0))
        }
    }
}
