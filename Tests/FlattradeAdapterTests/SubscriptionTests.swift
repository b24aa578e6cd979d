import AdapterKit
import AdapterTestKit
import CFeedhostABI
import Testing

@Suite struct NorenSubscriptionTests {
    private func acknowledged(_ host: InMemoryHost) -> [UInt32] {
        host.results.filter { $0.outcome == UInt32(FH_SUB_ACKED) }.map(\.handle)
    }

    @Test func asksForSeveralScripsInOneRequest() throws {
        let host = try openNoren()
        host.want(["NSE|22", "BSE|508123"], FH_MODE_LTP)
        #expect(host.requests == [#"{"t":"t","k":"NSE|22#BSE|508123"}"#])
        #expect(host.results.isEmpty, "the snapshots confirm")
        host.deliver(feed("tk", "BSE|508123", [("lp", "1.00")]))
        #expect(acknowledged(host) == [2])
        host.deliver(feed("tk", "NSE|22", [("lp", "1.00")]))
        #expect(acknowledged(host) == [2, 1])
        host.deliver(feed("tk", "NSE|22", [("lp", "1.00")]))
        #expect(host.results.count == 2)
    }

    @Test func separatesTouchlineAndDepth() throws {
        let host = try openNoren()
        host.subscribe([
            host.wish("NSE|1", FH_MODE_LTP), host.wish("NSE|2", FH_MODE_DEPTH), host.wish("NSE|3", FH_MODE_QUOTE),
        ])
        #expect(host.requests == [#"{"t":"t","k":"NSE|1#NSE|3"}"#])
        host.advance(by: .milliseconds(99))
        #expect(host.requests.count == 1)
        host.advance(by: .milliseconds(1))
        #expect(host.requests.last == #"{"t":"d","k":"NSE|2"}"#)
        host.deliver(feed("tk", "NSE|2", [("lp", "1.00")]))
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 1, "its touchline was not asked for")
    }

    @Test func sendsAHundredScripsTenTimesASecond() throws {
        let host = try openNoren()
        host.subscribe((1...250).map { host.wish("NSE|\($0)", FH_MODE_LTP) })
        host.advance(by: .seconds(1))
        let counts = host.requests.map { $0.split(separator: "#").count }
        #expect(counts == [100, 100, 50])
        let times = host.sockets[0].sentAt.dropFirst()
        #expect(times.map { ($0 - host.sockets[0].sentAt[0]) / 1_000_000 } == [0, 100, 200])
        #expect(!host.requests.contains { $0.contains("#\"") })
    }

    @Test func bridgesAnUpgradeAndADowngrade() throws {
        let host = try openNoren()
        host.want(["NSE|22", "NSE|23"], FH_MODE_QUOTE)
        for token in ["22", "23"] { host.deliver(feed("tk", "NSE|\(token)", [("lp", "1.00")])) }
        host.want(["NSE|22"], FH_MODE_DEPTH)
        #expect(host.requests.last == #"{"t":"d","k":"NSE|22"}"#)
        host.deliver(feed("tf", "NSE|22", [("lp", "2.00")]))
        #expect(host.lastRecord.ltp == 200, "the touchline goes on until the depth has come")
        #expect(acknowledged(host) == [1, 2])
        host.deliver(feed("dk", "NSE|22", [("lp", "2.50")]))
        #expect(acknowledged(host) == [1, 2, 1])
        #expect(host.requests.last == #"{"t":"u","k":"NSE|22"}"#)
        let count = host.tickCount
        host.deliver(feed("tf", "NSE|22", [("lp", "3.00")]))
        #expect(host.tickCount == count, "what is under way of the touchline is not looked at")

        host.want(["NSE|22"], FH_MODE_LTP)
        #expect(host.requests.last == #"{"t":"t","k":"NSE|22"}"#)
        host.deliver(feed("df", "NSE|22", [("lp", "4.00")]))
        #expect(host.lastRecord.ltp == 400)
        host.deliver(feed("tk", "NSE|22", [("lp", "5.00")]))
        host.advance(by: .seconds(1))
        #expect(host.requests.last == #"{"t":"ud","k":"NSE|22"}"#)
        #expect(host.requests.count == 5, "the other scrip was left alone")
        host.deliver(feed("tf", "NSE|23", [("lp", "6.00")]))
        #expect((host.lastRecord.instrument, host.lastRecord.ltp) == (2, 600))
    }

    @Test func aModeOnTheSameFeedNeedsNoRequest() throws {
        let host = try openNoren()
        host.want(["NSE|22"], FH_MODE_LTP)
        host.deliver(feed("tk", "NSE|22", [("lp", "1.00")]))
        host.want(["NSE|22"], FH_MODE_QUOTE)
        host.want(["NSE|22"], FH_MODE_QUOTE)
        #expect(host.requests.count == 1)
        #expect(acknowledged(host) == [1, 1, 1])
        #expect(host.results.last?.mode == UInt16(FH_MODE_QUOTE))
    }

    @Test func asksAgainForWhatWasNotConfirmed() throws {
        let host = try openNoren()
        host.want(["NSE|22"], FH_MODE_LTP)
        host.want(["NSE|22"], FH_MODE_LTP)
        #expect(host.requests.count == 1, "the answer is under way")
        host.advance(by: .seconds(3))
        host.want(["NSE|22"], FH_MODE_LTP)
        #expect(host.requests == Array(repeating: #"{"t":"t","k":"NSE|22"}"#, count: 2))
    }

    @Test func unsubscribes() throws {
        let host = try openNoren()
        host.want(["NSE|22", "NSE|23"], FH_MODE_LTP)
        host.want(["BSE|1"], FH_MODE_DEPTH)
        host.unsubscribe([
            host.wish("NSE|22", FH_MODE_LTP), host.wish("BSE|1", FH_MODE_DEPTH), host.wish("NFO|9", FH_MODE_LTP),
        ])
        host.advance(by: .seconds(1))
        #expect(host.requests.suffix(2) == [#"{"t":"u","k":"NSE|22"}"#, #"{"t":"ud","k":"BSE|1"}"#])
        host.deliver(feed("tf", "NSE|22", [("lp", "1.00")]))
        host.deliver(feed("tf", "NSE|23", [("lp", "2.00")]))
        #expect((host.tickCount, host.lastRecord.ltp) == (1, 200))
    }

    @Test func aWishThatComesBackGetsANewSnapshot() throws {
        let host = try openNoren()
        host.want(["NSE|22"], FH_MODE_QUOTE)
        host.deliver(feed("tk", "NSE|22", [("bp1", "1.00"), ("bq1", "1")]))
        // Both in the pause between two requests: the first request for it is sent behind.
        host.subscribe([host.wish("NSE|99", FH_MODE_LTP)])
        host.unsubscribe([host.wish("NSE|22", FH_MODE_QUOTE)])
        host.deliver(feed("tf", "NSE|22", [("bp1", "9.00")]))
        host.subscribe([host.wish("NSE|22", FH_MODE_QUOTE)])
        host.advance(by: .seconds(1))
        #expect(host.requests.suffix(2) == [#"{"t":"t","k":"NSE|99"}"#, #"{"t":"t","k":"NSE|22"}"#])
        host.deliver(feed("tf", "NSE|22", [("bq1", "2"), ("v", "1")]))
        #expect(host.lastRecord.fields == UInt64(FH_F_VOLUME), "nothing is known of the bid's price")
        host.deliver(feed("tk", "NSE|22", [("bp1", "2.00"), ("bq1", "1")]))
        #expect(acknowledged(host) == [1, 1])
    }

    @Test func twoInstrumentsMayShareAScrip() throws {
        let host = try openNoren()
        let first = host.wish("NSE|22", FH_MODE_QUOTE, symbol: "ACC")
        let second = host.wish("NSE|22", FH_MODE_DEPTH, symbol: "ACC-BE")
        host.subscribe([first, second])
        host.advance(by: .seconds(1))
        #expect(host.requests == [#"{"t":"d","k":"NSE|22"}"#])
        host.deliver(feed("dk", "NSE|22", [("lp", "2.00"), ("bp1", "1.00"), ("bq1", "1")]))
        #expect(host.ticks.map(\.record.instrument) == [1, 2])
        #expect(host.ticks.allSatisfy { $0.bids.count == 1 && $0.record.ltp == 200 })
        #expect(acknowledged(host) == [1, 2])
        host.unsubscribe([second])
        host.advance(by: .seconds(1))
        #expect(host.requests.last == #"{"t":"t","k":"NSE|22"}"#)
        host.unsubscribe([first])
        host.advance(by: .seconds(1))
        #expect(Set(host.requests.suffix(2)) == [#"{"t":"u","k":"NSE|22"}"#, #"{"t":"ud","k":"NSE|22"}"#])
    }

    @Test func anInstrumentMayGetAnotherToken() throws {
        let host = try openNoren()
        host.want(["NFO|100"], FH_MODE_LTP)
        host.subscribe([host.wish("NFO|200", FH_MODE_LTP, symbol: "S100")])
        host.advance(by: .seconds(1))
        #expect(host.requests.suffix(2) == [#"{"t":"t","k":"NFO|200"}"#, #"{"t":"u","k":"NFO|100"}"#])
        host.deliver(feed("tf", "NFO|100", [("lp", "1.00")]))
        host.deliver(feed("tf", "NFO|200", [("lp", "2.00")]))
        #expect(host.ticks.map(\.record.ltp) == [200])
    }

    @Test func refusesWhatIsNoScrip() throws {
        let host = try openNoren()
        host.subscribe([
            host.wish("NSE", "NOPE", FH_MODE_LTP), host.wish("NSE|ABC", FH_MODE_LTP),
            host.wish("NSE|99999999999", FH_MODE_LTP), host.wish("EXCHANGE|1", FH_MODE_LTP),
            host.wish("NSE|22", FH_MODE_LTP),
        ])
        #expect(host.requests == [#"{"t":"t","k":"NSE|22"}"#])
        #expect(host.results.map(\.outcome) == Array(repeating: UInt32(FH_SUB_REJECTED), count: 4))
        #expect(host.results[0].status == .unknownInstrument)
        #expect(host.results[0].message == "Symbol NOPE not found for exchange NSE")
        #expect(host.results[1].message == "NSE|ABC is not a scrip of Flattrade: load its instruments again")
    }

    @Test func grantsFiveLevels() throws {
        let host = try openNoren()
        host.subscribe([host.wish("NSE|22", FH_MODE_DEPTH, depth: 20)])
        host.deliver(feed("dk", "NSE|22"))
        #expect(host.results.last?.outcome == UInt32(FH_SUB_DOWNGRADED))
        #expect(host.results.last?.depth == 5)
    }

    @Test func anIndexIsAskedForOnItsExchange() throws {
        let host = try openNoren()
        host.subscribe([host.wish("BSE_INDEX", "SENSEX", FH_MODE_LTP, token: ("", "1"))])
        #expect(host.requests == [#"{"t":"t","k":"BSE|1"}"#])
    }

    /// Whatever is wanted and not wanted any more in whatever order: in the end the broker sends what is wanted.
    @Test(arguments: 1...8)
    func theBrokerEndsWithWhatIsWanted(seed: UInt64) throws {
        let host = try openNoren()
        var random = SeededNumbers(seed: seed)
        var broker = BrokerSide()
        var wanted: [Int: Int] = [:]
        for _ in 0..<300 {
            let number = Int.random(in: 1...150, using: &random)
            let mode = [FH_MODE_LTP, FH_MODE_QUOTE, FH_MODE_DEPTH][Int.random(in: 0..<3, using: &random)]
            if Int.random(in: 0..<3, using: &random) == 0 {
                host.unsubscribe([host.wish("NSE|\(number)", mode)])
                wanted[number] = nil
            } else {
                host.subscribe([host.wish("NSE|\(number)", mode)])
                wanted[number] = mode
            }
            if Bool.random(using: &random) { host.advance(by: .milliseconds(Int.random(in: 1...150, using: &random))) }
            broker.answer(host)
        }
        for _ in 0..<20 {
            host.advance(by: .milliseconds(100))
            broker.answer(host)
        }
        #expect(broker.depths == Set(wanted.filter { $0.value == FH_MODE_DEPTH }.keys), "seed \(seed)")
        #expect(broker.touchlines == Set(wanted.filter { $0.value != FH_MODE_DEPTH }.keys), "seed \(seed)")
        #expect(host.timerCount == 2, "the heartbeat and the watch for silence; nothing waits to be sent")
    }
}

/// Keeps the broker's books and answers requests with snapshots.
private struct BrokerSide {
    var touchlines: Set<Int> = []
    var depths: Set<Int> = []
    private var read = 0

    mutating func answer(_ host: InMemoryHost) {
        while read < host.requests.count {
            let parts = host.requests[read].split(separator: "\"").map(String.init)
            read += 1
            guard parts.count == 9 else { continue }
            for scrip in parts[7].split(separator: "#") {
                guard let number = Int(scrip.dropFirst(4)) else { continue }
                switch parts[3] {
                case "t": touchlines.insert(number)
                case "u": touchlines.remove(number)
                case "d": depths.insert(number)
                default: depths.remove(number)
                }
                if parts[3] == "t" || parts[3] == "d" {
                    host.deliver(feed(parts[3] + "k", String(scrip), [("lp", "1.00")]))
                }
            }
        }
    }
}
