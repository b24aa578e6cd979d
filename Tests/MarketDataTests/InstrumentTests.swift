import MarketData
import Testing

@Suite struct InstrumentTests {
    @Test(arguments: [
        "RELIANCE", "M&M", "BAJAJ-AUTO", "ALAN SCOTT", "12 MFLS3", "NIFTY TOP 10 EW", "A  B", "BSEOIL&GAS", "360ONE",
        "币安人生USDT", "ÉTÉ", "हिन्दी", "X:20", "_", String(repeating: "A", count: 96),
        String(repeating: "币", count: 32),
    ])
    func takesEveryNameThatCanBeRead(symbol: String) throws {
        let instrument = Instrument(exchange: "NSE", symbol: symbol)
        #expect(instrument.isPlausible && Instrument.isSymbol(symbol))
        #expect(Instrument("NSE:\(symbol)") == instrument)
        #expect(InstrumentHandles().handle(of: instrument) == 1)
        #expect(Topic("NSE_\(symbol)_LTP") == Topic(broker: nil, instrument: instrument, mode: .ltp))
    }

    @Test(arguments: [
        "", " ", " A", "A ", "A\tB", "A\nB", "A\rB", "A\0", "A\u{1B}[31m", "A\u{7F}", "A\u{80}", "A\u{85}B",
        "A\u{9B}31m",
        "A\u{A0}B", "A\u{AD}B", "A\u{200B}B", "A\u{200E}", "A\u{202E}B", "A\u{2028}B", "A\u{2029}B", "A\u{2066}B",
        "A\u{3000}B", "A\u{3164}B", "\u{FEFF}A", "A\u{FFFD}", "A\u{E000}", "A\u{E0041}", "A\u{FE0F}",
        String(repeating: "A", count: 97), String(repeating: "币", count: 33),
    ])
    func refusesWhatCannot(symbol: String) {
        #expect(!Instrument(exchange: "NSE", symbol: symbol).isPlausible, "\(symbol.debugDescription)")
        #expect(!Instrument.isSymbol(symbol) && Instrument("NSE:\(symbol)") == nil)
        #expect(InstrumentHandles().handle(of: Instrument(exchange: "NSE", symbol: symbol)) == nil)
    }

    @Test(arguments: ["", "N SE", " NSE", "NSE\n", String(repeating: "N", count: 33)])
    func exchangesHaveNoSpaces(exchange: String) {
        #expect(!Instrument(exchange: exchange, symbol: "SBIN").isPlausible)
    }
}
