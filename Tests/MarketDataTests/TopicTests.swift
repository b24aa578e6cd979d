import Testing

@testable import MarketData

@Suite struct TopicTests {
    @Test(
        arguments: [
            ("NSE_RELIANCE_LTP", nil, "NSE", "RELIANCE", Mode.ltp),
            ("NSE_INDEX_NIFTY_QUOTE", nil, "NSE_INDEX", "NIFTY", .quote),
            ("NSEIX_INDEX_GIFTNIFTY_LTP", nil, "NSEIX_INDEX", "GIFTNIFTY", .ltp),
            ("ZERODHA_NSE_RELIANCE_LTP", "ZERODHA", "NSE", "RELIANCE", .ltp),
            ("ZERODHA_NSE_INDEX_NIFTY_DEPTH", "ZERODHA", "NSE_INDEX", "NIFTY", .depth),
            ("NSE_A_B_C_depth", nil, "NSE", "A_B_C", .depth),
            ("FIVE_PAISA_BSE_X:20_DEPTH", "FIVE_PAISA", "BSE", "X:20", .depth),
            ("BSE_ALAN SCOTT_LTP", nil, "BSE", "ALAN SCOTT", .ltp),
            ("FLATTRADE_BSE_ALAN SCOTT_LTP", "FLATTRADE", "BSE", "ALAN SCOTT", .ltp),
            ("NSE_INDEX_NIFTY TOP 10 EW_QUOTE", nil, "NSE_INDEX", "NIFTY TOP 10 EW", .quote),
            ("BINANCE_CRYPTO_币安人生USDT_DEPTH", "BINANCE", "CRYPTO", "币安人生USDT", .depth),
            ("BSE_INDEX_BSEOIL&GAS_LTP", nil, "BSE_INDEX", "BSEOIL&GAS", .ltp),
        ] as [(String, String?, String, String, Mode)])
    func readsEveryForm(text: String, broker: String?, exchange: String, symbol: String, mode: Mode) {
        let topic = Topic(text)
        #expect(topic == Topic(broker: broker, instrument: Instrument(exchange: exchange, symbol: symbol), mode: mode))
    }

    @Test(arguments: ["", "NSE", "NSE_LTP", "NSE_RELIANCE", "NSE_RELIANCE_TICK", "FOO_BAR_LTP", "NSE__LTP", "___"])
    func refusesWhatIsNone(text: String) {
        #expect(Topic(text) == nil)
    }

    @Test func writesTheFormsThatItReads() {
        let topic = Topic(
            broker: "zerodha", instrument: Instrument(exchange: "NSE_INDEX", symbol: "NIFTY"), mode: .quote)
        #expect(topic.text == "ZERODHA_NSE_INDEX_NIFTY_QUOTE")
        #expect(topic.legacy == "NSE_INDEX_NIFTY_QUOTE")
        #expect(Topic(topic.text)?.instrument == topic.instrument)
    }

    @Test func exchangesOfAdaptersCanBeAdded() {
        #expect(Topic("FOREX_EURUSD_LTP") == nil)
        let exchanges = Exchanges(Exchanges.known.union(["FOREX"]))
        #expect(Topic("FOREX_EURUSD_LTP", exchanges: exchanges)?.instrument.symbol == "EURUSD")
    }
}

@Suite struct ModeTests {
    @Test func labelsInAnyCase() {
        #expect(Mode(label: " depth ") == .depth)
        #expect(Mode(label: "QUOTE") == .quote)
        #expect(Mode(label: "1") == nil)
        #expect(Mode(label: "L T P") == nil)
    }

    @Test func bitsOfTheABI() {
        #expect(Mode.allCases.map(\.abi) == [1, 2, 4])
        #expect(Mode(highestOf: 3) == .quote)
        #expect(Mode(highestOf: 8) == nil)
    }
}

@Suite struct RouteKeyTests {
    @Test func survivesTheWire() {
        let key = RouteKey(session: 7, instrument: 99_999, mode: .depth, depth: 20, suffix: 50)
        withUnsafeTemporaryAllocation(byteCount: RouteKey.wireSize, alignment: 8) { bytes in
            key.write(to: bytes.baseAddress!, mark: 3)
            let read = RouteKey.read(UnsafeRawBufferPointer(bytes))
            #expect(read?.mark == 3)
            #expect(read?.key == key)
        }
        #expect(key.name(of: Instrument(exchange: "NSE", symbol: "TCS")) == "TCS:50")
        #expect(RouteKey(session: 1, instrument: 1, mode: .ltp, depth: 20).depth == 0)
    }
}
