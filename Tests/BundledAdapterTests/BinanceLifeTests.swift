import AdapterKit
import AdapterTestKit
import BinanceAdapter
import CFeedhostABI
import SimulatorAdapter
import Testing

/// Pairs that do not exist, connections that end on time, and connections that are mute.
@Suite struct BinanceLifeTests {
    // MARK: Pairs

    private static let list = #"[{"symbol":"BTCUSDT","price":"1.0"},{"symbol":"ETHUSDT","price":"2"}]"#

    private func looking() throws -> InMemoryHost {
        let host = try InMemoryHost(
            binanceEntry, settings: ["endpoint": "ws://stand.in", "rest_endpoint": "http://rest.stand.in/"])
        host.connect()
        host.acceptUpgrade()
        return host
    }

    private func ask(_ host: InMemoryHost, _ symbols: String...) {
        host.subscribe(symbols.map { host.wish("CRYPTO", $0, FH_MODE_LTP) })
    }

    @Test func pairsThatDoNotExistAreRefused() throws {
        let host = try looking()
        ask(host, "BTCUSDT", "NOPEUSDT")
        #expect(host.results.isEmpty, "answers wait for the list")
        #expect(host.fetches.map(\.url) == ["http://rest.stand.in/api/v3/ticker/price"])
        ask(host, "ETHUSDT")
        #expect(host.fetches.count == 1)
        host.answer(host.fetches[0].id, body: Self.list)
        #expect(
            host.results.map(\.message) == ["", "Symbol NOPEUSDT not found for exchange CRYPTO", ""])
        #expect(host.results[1].status == .unknownInstrument)
        host.advance(by: .milliseconds(500))
        #expect(host.sockets[0].sentText.contains { $0.contains("btcusdt@trade") && $0.contains("ethusdt@trade") })
        // The next one is answered at once.
        ask(host, "GONEUSDT")
        #expect(host.results.last?.status == .unknownInstrument)
        #expect(host.fetches.count == 1)
        // A pair may have been listed since: an older list is read again before anybody is refused.
        host.deliver(#"{"result":null,"id":1}"#)
        host.stall(for: .seconds(61))
        ask(host, "NEWUSDT")
        #expect(host.fetches.count == 2)
        host.answer(host.fetches[1].id, body: Self.list.replacing("]", with: #",{"symbol":"NEWUSDT","price":"3"}]"#))
        #expect(host.results.last?.status == .ok)
    }

    @Test func theListSurvivesAReconnect() throws {
        let host = try looking()
        ask(host, "BTCUSDT")
        host.answer(host.fetches[0].id, body: Self.list)
        host.drop()
        host.connect()
        host.acceptUpgrade()
        ask(host, "BTCUSDT", "NOPEUSDT")
        #expect(host.fetches.count == 1)
        #expect(host.results.suffix(2).map(\.status) == [.ok, .unknownInstrument])
    }

    @Test(arguments: [(503, ""), (200, "{}"), (200, "[]"), (200, #"[{"symbol":"#), (451, "no"), (200, "")])
    func withoutAListNothingIsRefused(status: Int32, body: String) throws {
        let host = try looking()
        ask(host, "BTCUSDT", "NOPEUSDT")
        host.answer(host.fetches[0].id, httpStatus: status, body: body)
        #expect(host.results.map(\.outcome) == Array(repeating: UInt32(FH_SUB_SENT_NO_ACK), count: 2))
        #expect(host.log.count { $0.contains("list of pairs cannot be read") } == 1)
        // Nobody asks again for a while.
        ask(host, "ETHUSDT")
        #expect(host.fetches.count == 1 && host.results.count == 3)
    }

    @Test func aListThatDoesNotComeHoldsNobodyUp() throws {
        let host = try looking()
        ask(host, "BTCUSDT")
        host.advance(by: .milliseconds(2_999))
        #expect(host.results.isEmpty)
        host.advance(by: .milliseconds(1))
        #expect(host.results.map(\.outcome) == [UInt32(FH_SUB_SENT_NO_ACK)])
    }

    @Test func theRequestEndsWithItsConnection() throws {
        let host = try looking()
        ask(host, "BTCUSDT")
        host.drop()
        host.connect()
        host.acceptUpgrade()
        ask(host, "BTCUSDT")
        #expect(host.fetches.count == 2)
        host.answer(host.fetches[1].id, body: Self.list)
        #expect(host.results.last?.status == .ok)
    }

    // MARK: Handover

    static let shutdowns = [
        #"{"e":"serverShutdown","E":1770123456789}"#,
        #"{"event":{"e":"serverShutdown","E":1770123456789}}"#,
        #"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}"#,
        #"{"data":{"E":1770123456789,"e":"serverShutdown"}}"#,
    ]

    private func bookTicker(_ update: Int) -> String {
        BinanceDecodingTests.bookTicker.replacing("499869768", with: "\(update)")
    }

    private func trade(_ number: Int) -> String {
        BinanceDecodingTests.trade.replacing("\"t\":77", with: "\"t\":\(number)")
    }

    @Test(arguments: shutdowns) func aServerThatGoesIsFollowedBeforeItsEnd(_ message: String) throws {
        let host = try openBinance(FH_MODE_DEPTH, depth: 5)
        let old = host.sockets[0].id
        host.deliver(trade(1))
        host.deliver(bookTicker(10))
        host.deliver(message)
        #expect(host.sockets.count == 2)
        #expect(host.sockets[1].url.contains("nknusdt@trade/"))
        #expect(host.metric(FH_M_FRAMES_BAD) == 0)
        host.deliver(message, on: old)
        #expect(host.sockets.count == 2, "once")
        // Until the new one is open the old one serves.
        host.deliver(trade(2), on: old)
        #expect(host.tickCount == 3)
        host.acceptUpgrade()
        #expect(host.sockets[0].closeCode == nil, "the new one has brought nothing yet")
        host.deliver(trade(3), on: old)
        host.deliver(bookTicker(12), on: old)
        #expect(host.tickCount == 5)
        // The new one is late: nothing twice, nothing backwards.
        host.deliver(trade(3))
        #expect(host.sockets[0].closeCode == 1_000, "the new one has everything and brings it")
        host.deliver(bookTicker(11))
        host.deliver(bookTicker(12))
        #expect(host.tickCount == 5)
        host.deliver(trade(4))
        host.deliver(bookTicker(13))
        #expect(host.tickCount == 7)
        #expect(host.connections.count == 2, "nobody notices")
    }

    @Test func tickersAndBooksKeepTheirOrder() throws {
        let host = try openBinance(FH_MODE_DEPTH, depth: 5)
        let old = host.sockets[0].id
        host.deliver(Self.shutdowns[0])
        host.acceptUpgrade()
        host.deliver(BinanceDecodingTests.ticker, on: old)
        host.deliver(BinanceDecodingTests.book, on: old)
        #expect(host.tickCount == 2)
        host.deliver(BinanceDecodingTests.ticker)
        host.deliver(BinanceDecodingTests.book)
        host.deliver(BinanceDecodingTests.book.replacing("160", with: "159"))
        #expect(host.tickCount == 2)
        host.deliver(BinanceDecodingTests.book.replacing("160", with: "161"))
        #expect(host.tickCount == 3)
        // One connection keeps the order by itself; a venue may number anew.
        host.advance(by: .seconds(11))
        host.deliver(BinanceDecodingTests.book.replacing("160", with: "1"))
        #expect(host.tickCount == 4)
    }

    @Test func aConnectionIsFollowedBeforeItIsADayOld() throws {
        let host = try openBinance(FH_MODE_LTP)
        // Something comes all the time.
        for number in 0..<(23 * 360 + 298) {
            host.advance(by: .seconds(10))
            host.deliver(trade(100 + number))
        }
        #expect(host.sockets.count == 1)
        let old = host.sockets[0].id
        for number in 0..<3 {
            host.advance(by: .seconds(10))
            host.deliver(trade(500_000 + number), on: old)
        }
        #expect(host.sockets.count == 2)
        host.acceptUpgrade()
        host.deliver(trade(1_000_000))
        #expect(host.sockets[0].closeCode == 1_000)
        #expect(host.connections.count == 2)
    }

    @Test func aFollowerThatDoesNotOpenEndsNothing() throws {
        let host = try openBinance(FH_MODE_LTP)
        let old = host.sockets[0].id
        host.deliver(Self.shutdowns[0])
        host.drop()
        #expect(host.connections.count == 2)
        host.deliver(trade(1), on: old)
        #expect(host.tickCount == 1)
        host.advance(by: .seconds(10))
        host.deliver(trade(2), on: old)
        #expect(host.sockets.count == 2)
        host.advance(by: .seconds(14))
        host.deliver(trade(3), on: old)
        host.advance(by: .seconds(14))
        #expect(host.sockets.count == 3, "tried again")
        // The server goes before the follower is open: that is an outage.
        host.drop(old)
        #expect(host.connections.last?.state == UInt32(FH_CONN_DISCONNECTED))
        #expect(host.timerCount == 0)
    }

    @Test func theOldOneMayGoFirstAndTheNewOneToo() throws {
        let host = try openBinance(FH_MODE_LTP)
        let first = host.sockets[0].id
        host.deliver(Self.shutdowns[0])
        host.acceptUpgrade()
        // The new one breaks while both are open: the old one serves on.
        host.drop(host.sockets[1].id)
        #expect(host.connections.count == 2)
        host.deliver(trade(1), on: first)
        #expect(host.tickCount == 1)
        for number in 2..<6 {
            host.advance(by: .seconds(10))
            host.deliver(trade(number), on: first)
        }
        #expect(host.sockets.count == 3)
        host.acceptUpgrade()
        // The old one breaks while both are open: nobody notices.
        host.drop(first)
        host.deliver(trade(9))
        #expect(host.tickCount == 6)
        #expect(host.connections.count == 2)
    }

    @Test func manyStreamsAreAllThereBeforeTheOldOneEnds() throws {
        let host = try openBinance(FH_MODE_DEPTH, depth: 5, symbols: (1...90).map { "COIN\($0)" })
        for id in 2...6 {
            host.advance(by: .milliseconds(250))
            host.deliver("{\"result\":null,\"id\":\(id)}")
        }
        let old = host.sockets[0].id
        host.deliver(Self.shutdowns[0])
        #expect(host.sockets[1].url.split(separator: "/").count > 200)
        host.acceptUpgrade()
        host.deliver(BinanceDecodingTests.trade.replacing("nknusdt", with: "coin1"))
        #expect(host.sockets[0].closeCode == nil, "250 streams are missing")
        for step in 0..<4 {
            host.advance(by: .milliseconds(250))
            #expect(host.sockets[0].closeCode == nil || step > 1)
            for text in host.sockets[1].sentText {
                let id = text.split(separator: ":").last?.dropLast() ?? ""
                host.deliver("{\"result\":null,\"id\":\(id)}")
            }
        }
        let asked = host.sockets[1].sentText.map { $0.split(separator: ",").count - 2 }.reduce(0, +)
        #expect(asked == 250)
        host.advance(by: .milliseconds(300))
        #expect(host.sockets.first { $0.id == old }?.closeCode == 1_000)
        #expect(host.connections.count == 2)
    }

    // MARK: Silence

    private let pulse = #"{"stream":"btcusdt@ticker","data":{"e":"24hrTicker"}}"#

    @Test func aMuteConnectionIsLeft() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.deliver(trade(1))
        host.advance(by: .seconds(14))
        #expect(host.sockets[0].sent.count == 1)
        host.advance(by: .seconds(6))
        #expect(host.sockets[0].sentText.last?.contains(#""params":["btcusdt@ticker"]"#) == true)
        // It even confirms.
        host.deliver(#"{"result":null,"id":2}"#)
        host.advance(by: .seconds(11))
        let event = try #require(host.connections.last)
        #expect(event.state == UInt32(FH_CONN_DISCONNECTED) && event.reason == UInt32(FH_WHY_NETWORK))
        #expect(event.message.contains("not even of btcusdt@ticker; the connection is mute"))
    }

    @Test func aQuietPairIsNoFault() throws {
        let host = try openBinance(FH_MODE_LTP)
        for _ in 0..<60 {
            // An hour without a trade, on a connection that is well.
            host.advance(by: .seconds(20))
            #expect(host.sockets[0].sentText.last?.contains(#""params":["btcusdt@ticker"]"#) == true)
            host.deliver(pulse)
            host.advance(by: .seconds(1))
            #expect(host.sockets[0].sentText.last?.contains("UNSUBSCRIBE") == true, "its data is of no use")
            #expect(host.sockets[0].sentText.last?.contains("btcusdt@ticker") == true)
        }
        #expect(host.connections.count == 2)
        #expect(host.metrics.isEmpty)
    }

    @Test func theAdaptersHereDeclareASilence() {
        for capabilities in [Binance.descriptor.capabilities, Simulator.descriptor.capabilities] {
            #expect(capabilities.silenceLimit != nil && capabilities.offHoursSilenceLimit != nil)
        }
    }
}
