import AdapterKit
import AdapterTestKit
import BinanceAdapter
import CFeedhostABI
import Testing

/// Made once, as in a plugin: the tables are never freed.
let binanceEntry = AdapterEntry([Binance.registration])

/// Pairs are looked up at Binance's own address and where a test says; most tests are not about that.
func binanceSettings(_ settings: [String: String]) -> [String: String] {
    ["endpoint": "ws://stand.in"].merging(settings) { $1 }
}

/// A host whose `binance` adapter has a socket open for `symbols`.
func openBinance(_ mode: Int, depth: Int = 0, symbols: [String] = ["NKNUSDT"], settings: [String: String] = [:]) throws
    -> InMemoryHost
{
    let host = try InMemoryHost(binanceEntry, settings: binanceSettings(settings))
    host.connect()
    host.acceptUpgrade()
    host.subscribe(symbols.map { host.wish("CRYPTO", $0, mode, depth: depth) })
    host.advance(by: .milliseconds(150))
    host.deliver(#"{"result":null,"id":1}"#)
    // The next frame may go out at once.
    host.advance(by: .milliseconds(250))
    return host
}

@Suite struct BinanceDecodingTests {
    static let trade =
        #"{"stream":"nknusdt@trade","data":{"e":"trade","E":1633998523963,"s":"NKNUSDT","t":77,"p":"0.35280000","q":"58.50000000","T":1633998523961,"m":false,"M":true}}"#
    static let aggregate =
        #"{"stream":"nknusdt@aggTrade","data":{"e":"aggTrade","E":1633998523963,"s":"NKNUSDT","a":5,"p":"0.35280000","q":"58.00000000","f":76,"l":77,"T":1633998523962,"m":false,"M":true}}"#
    static let bookTicker =
        #"{"stream":"nknusdt@bookTicker","data":{"u":499869768,"s":"NKNUSDT","b":"0.35210000","B":"672.00000000","a":"0.35260000","A":"3199.00000000"}}"#
    static let ticker =
        #"{"stream":"nknusdt@ticker","data":{"e":"24hrTicker","E":1633998524000,"s":"NKNUSDT","p":"-0.00010000","P":"-0.03","w":"0.35111111","x":"0.34990000","c":"0.35270000","Q":"12.00000000","b":"0.35200000","B":"1.00000000","a":"0.35300000","A":"2.00000000","o":"0.34000000","h":"0.36000000","l":"0.33000000","v":"1000.50000000","q":"351.00000000","O":1,"C":2,"F":3,"L":4,"n":5}}"#
    static let book =
        #"{"stream":"nknusdt@depth5@100ms","data":{"lastUpdateId":160,"bids":[["0.0024","10"],["0.0023","11.5"]],"asks":[["0.0026","100"],["0.0027","3",[]]]}}"#

    @Test func decodesATrade() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.deliver(Self.trade)
        let tick = try #require(host.ticks.last)
        #expect(tick.record.fields == UInt64(FH_F_LTP | FH_F_LTQ | FH_F_TRADE_TS))
        #expect(tick.record.instrument == 1)
        #expect(tick.record.kind == UInt16(FH_MODE_LTP))
        #expect((tick.record.price_exp, tick.record.qty_exp) == (-8, -8))
        #expect(tick.record.ltp == 35_280_000)
        #expect(tick.record.ltq == 5_850_000_000)
        #expect(tick.record.ts_last_trade == 1_633_998_523_961_000_000)
        #expect(tick.record.ts_exchange == 1_633_998_523_963_000_000)
        #expect(tick.record.ts_recv == host.now)
        #expect(tick.record.sequence == .max)
    }

    @Test func passesOnEachTradeOnce() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.deliver(Self.trade)
        host.deliver(Self.aggregate)  // ends with trade 77, which has come already
        host.deliver(Self.trade)
        #expect(host.tickCount == 1)
        host.deliver(Self.aggregate.replacing("\"l\":77", with: "\"l\":78"))
        host.deliver(Self.trade.replacing("\"t\":77", with: "\"t\":78"))
        #expect(host.tickCount == 2)
        #expect(host.ticks[1].record.ltq == 5_800_000_000)
        host.deliver(Self.trade.replacing("\"t\":77", with: "\"t\":79"))
        #expect(host.tickCount == 3)
        #expect(host.metrics.isEmpty)
    }

    @Test(arguments: [("trade", "nknusdt@trade"), ("aggTrade", "nknusdt@aggTrade")])
    func asksForOneKindOfTrades(setting: String, stream: String) throws {
        let host = try openBinance(FH_MODE_LTP, settings: ["trades": setting])
        #expect(host.sockets[0].sentText == [#"{"method":"SUBSCRIBE","params":["\#(stream)"],"id":1}"#])
    }

    @Test func decodesTheBestBidAndAsk() throws {
        let host = try openBinance(FH_MODE_QUOTE)
        host.deliver(Self.bookTicker)
        let record = try #require(host.ticks.last).record
        #expect(record.fields == UInt64(FH_F_BID | FH_F_ASK))
        #expect((record.bid_px, record.bid_qty) == (35_210_000, 67_200_000_000))
        #expect((record.ask_px, record.ask_qty) == (35_260_000, 319_900_000_000))
        #expect(record.ts_exchange == .max)
        #expect(record.kind == UInt16(FH_MODE_QUOTE))
    }

    @Test func takesAnEmptySideAsWithdrawn() throws {
        let host = try openBinance(FH_MODE_QUOTE)
        host.deliver(
            Self.bookTicker.replacing("0.35210000", with: "0.00000000").replacing("672.0", with: "0.0"))
        let record = try #require(host.ticks.last).record
        #expect(record.fields == UInt64(FH_F_BID | FH_F_ASK))
        #expect((record.bid_px, record.bid_qty) == (.max, .max))
        #expect(record.ask_px == 35_260_000)
    }

    @Test func decodesTheTicker() throws {
        let host = try openBinance(FH_MODE_QUOTE)
        host.deliver(Self.ticker)
        let first = try #require(host.ticks.last)
        #expect(first.value(\.open, FH_F_OPEN) == 34_000_000)
        #expect(first.value(\.high, FH_F_HIGH) == 36_000_000)
        #expect(first.value(\.low, FH_F_LOW) == 33_000_000)
        #expect(first.value(\.volume, FH_F_VOLUME) == 100_050_000_000)
        #expect(first.value(\.avg_px, FH_F_AVG) == 35_111_111)
        #expect(first.value(\.close, FH_F_CLOSE) == 34_990_000)
        #expect(first.value(\.turnover, FH_F_TURNOVER) == 35_100_000_000)
        #expect(first.value(\.ltp, FH_F_LTP) == 35_270_000)
        #expect(first.value(\.ltq, FH_F_LTQ) == 1_200_000_000)
        #expect(first.value(\.bid_px, FH_F_BID) == 35_200_000)
        #expect(!first.holds(FH_F_TRADE_TS))

        // What the faster streams have said is newer.
        host.deliver(Self.trade)
        host.deliver(Self.bookTicker)
        host.deliver(Self.ticker)
        let later = try #require(host.ticks.last)
        #expect(!later.holds(FH_F_LTP) && !later.holds(FH_F_LTQ) && !later.holds(FH_F_BID) && !later.holds(FH_F_ASK))
        #expect(later.value(\.close, FH_F_CLOSE) == 34_990_000)
    }

    @Test func leavesOutPricesThatAreZero() throws {
        let host = try openBinance(FH_MODE_QUOTE)
        host.deliver(Self.ticker.replacing("0.34990000", with: "0.00000000"))
        let tick = try #require(host.ticks.last)
        #expect(!tick.holds(FH_F_CLOSE))
        #expect(tick.holds(FH_F_OPEN))
    }

    @Test func decodesABook() throws {
        let host = try openBinance(FH_MODE_DEPTH, depth: 5)
        host.deliver(Self.book)
        let tick = try #require(host.ticks.last)
        #expect(tick.record.fields == UInt64(FH_F_BIDS | FH_F_ASKS))
        #expect(tick.record.kind == UInt16(FH_MODE_DEPTH))
        #expect(
            tick.bids == [
                PublishedLevel(price: 240_000, quantity: 1_000_000_000),
                PublishedLevel(price: 230_000, quantity: 1_150_000_000),
            ])
        #expect(tick.asks.map(\.price) == [260_000, 270_000])

        host.deliver(Self.book.replacing("@depth5@100ms", with: "@depth5"))
        #expect(host.tickCount == 2)
    }

    @Test func cutsABookToTheLevelsAsked() throws {
        let host = try openBinance(FH_MODE_DEPTH, depth: 5)
        let side = (1...30).map { "[\"\($0)\",\"1\"]" }.joined(separator: ",")
        host.deliver(#"{"stream":"nknusdt@depth5","data":{"bids":[\#(side)],"asks":[]}}"#)
        let tick = try #require(host.ticks.last)
        #expect(tick.bids.map(\.price) == (1...5).map { $0 * 100_000_000 })
        #expect(tick.asks.isEmpty && tick.holds(FH_F_ASKS))
    }

    @Test func coarsensQuantitiesThatAreTooLargeForEightDecimals() throws {
        let host = try openBinance(FH_MODE_QUOTE)
        host.deliver(Self.ticker.replacing("1000.50000000", with: "9300000000000.50000000"))
        let tick = try #require(host.ticks.last)
        #expect(tick.record.qty_exp == -4)
        #expect(tick.record.volume == 93_000_000_000_005_000)
        host.deliver(Self.ticker.replacing("1000.50000000", with: "9200000000000000000.00000000"))
        #expect(host.ticks.last?.record.qty_exp == 0)
        #expect(host.ticks.last?.record.volume == 9_200_000_000_000_000_000)
        #expect(host.metrics.isEmpty)
    }

    @Test(arguments: [
        trade.replacing("0.35280000", with: "0.352800001"), trade.replacing("0.35280000", with: "92233720368.54775808"),
        trade.replacing("0.35280000", with: "0"), trade.replacing("0.35280000", with: "-1"),
        trade.replacing("\"0.35280000\"", with: "null"), trade.replacing("\"0.35280000\"", with: "{}"),
        trade.replacing("58.50000000", with: "1e30"), trade.replacing("58.50000000", with: "0.000000001"),
        trade.replacing("\"t\":77", with: "\"x\":77"), trade.replacing("1633998523961", with: "-5"),
        trade.replacing("1633998523961", with: "18446744073710"), trade.replacing("1633998523961", with: "\"soon\""),
        bookTicker.replacing("\"a\"", with: "\"z\""), ticker.replacing("\"h\"", with: "\"hh\""), trade + "}", "",
        book.replacing("\"10\"", with: "\"ten\""), book.replacing("[\"0.0024\",\"10\"]", with: "[\"0.0024\"]"),
        book.replacing("\"asks\"", with: "\"x\""), book.replacing("0.0024", with: "0"), "[]", "null", "{}", "{\"a\":1}",
        #"{"stream":"nknusdt@trade"}"#, #"{"stream":"nknusdt@trade","data":null}"#, #"{"stream":5,"data":{}}"#,
    ])
    func countsWhatItCannotDecode(frame: String) throws {
        let host = try openBinance(FH_MODE_DEPTH, depth: 5)
        host.deliver(frame)
        #expect(host.tickCount == 0, "\(frame)")
        #expect(host.metric(FH_M_FRAMES_BAD) == 1, "\(frame)")
        #expect(host.log.count == 1)
        host.deliver(Self.trade)
        #expect(host.tickCount == 1)
    }

    @Test(arguments: [
        #"{"stream":"nknusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"NKNUSDT","U":1,"u":2,"b":[["0.1","1"]],"a":[]}}"#,
        #"{"stream":"nknusdt@kline_1m","data":{"e":"kline","k":{"o":"1"}}}"#, #"{"stream":"nknusdt@depth","data":{}}"#,
        trade.replacing("nknusdt@", with: "btcusdt@"), trade.replacing("nknusdt@", with: "NKNUSDT@"),
        book.replacing("@depth5", with: "@depth10"), book.replacing("@100ms", with: "@7ms"),
        bookTicker.replacing("@bookTicker", with: "@bookticker"), bookTicker.replacing("nknusdt@bookTicker", with: "x"),
        #"{"stream":"!ticker@arr","data":[]}"#,
    ])
    func countsStreamsThatWereNotAskedFor(frame: String) throws {
        let host = try openBinance(FH_MODE_DEPTH, depth: 5)
        host.deliver(frame)
        #expect(host.tickCount == 0)
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 1)
        #expect(host.metric(FH_M_FRAMES_BAD) == 0)
        #expect(host.log.isEmpty)
    }

    @Test func ignoresQuotesWhenOnlyTradesAreWanted() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.deliver(Self.bookTicker)
        host.deliver(Self.ticker)
        #expect(host.tickCount == 0)
        #expect(host.metric(FH_M_FRAMES_IGNORED) == 2)
    }

    @Test func readsTheMessageInAnyOrder() throws {
        let host = try openBinance(FH_MODE_LTP)
        host.deliver(#" { "data" : {"T":1,"q":5,"p":2.5,"t":9} , "x" : [1] , "stream" : "nknusdt@trade" } "#)
        #expect(host.ticks.last?.record.ltp == 250_000_000)
        #expect(host.ticks.last?.record.ts_exchange == .max)
    }
}
