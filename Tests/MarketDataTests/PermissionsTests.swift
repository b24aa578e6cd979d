import MarketData
import Testing

struct PermissionsTests {
    @Test(arguments: [
        ("RELIANCE", "RELIANCE", true), ("RELIANCE", "RELIANC", false), ("RELIANC", "RELIANCE", false),
        ("RELIANCE", "reliance", false), ("NIFTY24NOVFUT", "NIFTY*", true), ("NIFTY", "NIFTY*", true),
        ("BANKNIFTY", "NIFTY*", false), ("BANKNIFTY", "*NIFTY", true), ("BANKNIFTY", "*NIF*", true),
        ("NIFTY24NOV24000CE", "NIFTY*CE", true), ("NIFTY24NOV24000PE", "NIFTY*CE", false), ("CECE", "*CE", true),
        ("SBIN", "S?IN", true), ("SIN", "S?IN", false), ("", "*", true), ("", "", true), ("A", "", false),
        ("", "?", false), ("ABC", "***", true), ("AAB", "*AB", true), ("ABAB", "*AB?B", true), ("ABAB", "*BA?B", false),
        ("A*B", "A*B", true),
        ("M&M", "M&M", true), ("X", "?*", true), ("", "?*", false), ("é", "?", true), ("é", "??", false),
        ("币安人生USDT", "????USDT", true), ("币安人生USDT", "*人?USDT", true), ("币安人生USDT", "????USDC", false),
        ("币安", "*???", false), ("ALAN SCOTT", "ALAN *", true), ("ALAN SCOTT", "ALAN?SCOTT", true),
    ])
    func patterns(_ symbol: String, _ pattern: String, _ fits: Bool) {
        #expect(Permissions.matches(symbol, pattern: pattern) == fits)
    }

    /// A pattern that makes naive matchers try every way of dividing the text.
    @Test func worstPatternIsQuick() {
        let symbol = String(repeating: "a", count: 96)
        let pattern = String(repeating: "a*", count: 47) + "b"
        let start = ContinuousClock.now
        for _ in 0..<1000 { #expect(!Permissions.matches(symbol, pattern: pattern)) }
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func agreesWithASlowMatcher() {
        func slow(_ text: Substring.UTF8View, _ pattern: Substring.UTF8View) -> Bool {
            guard let first = pattern.first else { return text.isEmpty }
            if first == UInt8(ascii: "*") {
                return slow(text, pattern.dropFirst()) || !text.isEmpty && slow(text.dropFirst(), pattern)
            }
            guard let byte = text.first, first == UInt8(ascii: "?") || first == byte else { return false }
            return slow(text.dropFirst(), pattern.dropFirst())
        }
        let seed = UInt64.random(in: 0 ... .max)
        var state = seed
        func next(_ bound: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % bound)
        }
        for _ in 0..<20_000 {
            let symbol = String((0..<next(8)).map { _ in Array("AB")[next(2)] })
            let pattern = String((0..<next(7)).map { _ in Array("AB*?")[next(4)] })
            let expected = slow(symbol[...].utf8, pattern[...].utf8)
            #expect(
                Permissions.matches(symbol, pattern: pattern) == expected, "\(symbol) \(pattern), seed \(seed)")
        }
    }

    @Test func everythingAllowsEverything() {
        let all = Permissions.everything
        #expect(all.allows(broker: "any") && all.allows(Instrument(exchange: "NSE", symbol: "X")) && all.orders)
        #expect(Mode.allCases.allSatisfy { all.allows($0) } && all.maxInstruments == nil)
    }

    @Test func everyRestrictionCounts() {
        let some = Permissions(
            brokers: ["zerodha"], exchanges: ["NSE"], symbols: ["NIFTY*", "SBIN"], modes: [.ltp], orders: false)
        #expect(some.allows(broker: "zerodha") && !some.allows(broker: "angel"))
        #expect(some.allows(Instrument(exchange: "NSE", symbol: "SBIN")))
        #expect(!some.allows(Instrument(exchange: "BSE", symbol: "SBIN")))
        #expect(!some.allows(Instrument(exchange: "NSE", symbol: "SBINX")))
        #expect(some.allows(.ltp) && !some.allows(.quote) && !some.allows(.depth))
        let none = Permissions(brokers: [], exchanges: [], symbols: [], modes: [])
        #expect(!none.allows(broker: "zerodha") && !none.allows(Instrument(exchange: "NSE", symbol: "SBIN")))
        #expect(!Permissions(symbols: []).allows(Instrument(exchange: "NSE", symbol: "SBIN")))
        #expect(!none.allows(.ltp))
    }
}
