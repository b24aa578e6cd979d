/// What is traded: real names in every segment, so that symbols, scales and tokens can be tried out.
enum Listings {
    /// - Parameters:
    ///   - today: Expiries come on or after it.
    ///   - synthetic: So many cash symbols more: `SIM00001`, `SIM00002`, …
    static func standard(asOf today: CalendarDay, synthetic: Int = 0) -> [SimulatedInstrument] {
        let expiries = today.monthlyExpiries(2)
        return cash + indices + Derivatives.all(near: expiries[0], far: expiries[1])
            + (0..<synthetic).map(synthetic(_:))
    }

    private static func synthetic(_ index: Int) -> SimulatedInstrument {
        let digits = String(index + 1)
        let name = "SIM" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        return SimulatedInstrument(
            segment: .nse, token: UInt32(100_001 + index), root: name, name: "SIMULATED \(digits)", contract: .cash,
            tickSize: 5, lotSize: 1, basePrice: Int64(10_000 + index % 3_000 * 100))
    }

    private static let cash: [SimulatedInstrument] = [
        share(.nse, 2_885, "RELIANCE", "RELIANCE INDUSTRIES", 140_050),
        share(.nse, 1_594, "INFY", "INFOSYS", 156_780),
        share(.nse, 3_045, "SBIN", "STATE BANK OF INDIA", 96_880),
        share(.nse, 11_536, "TCS", "TATA CONSULTANCY SERV LT", 305_640),
        share(.nse, 1_333, "HDFCBANK", "HDFC BANK", 99_545),
        share(.nse, 11_630, "NTPC", "NTPC", 32_855),
        share(.nse, 2_031, "M&M", "MAHINDRA & MAHINDRA", 362_430),
        share(.nse, 16_669, "BAJAJ-AUTO", "BAJAJ AUTO", 902_150),
        // A price of a few paise, where the bids end early.
        share(.nse, 14_366, "IDEA", "VODAFONE IDEA", 12),
        share(.bse, 500_325, "RELIANCE", "RELIANCE INDUSTRIES", 140_045),
        share(.bse, 500_209, "INFY", "INFOSYS", 156_765),
        share(.bse, 500_112, "SBIN", "STATE BANK OF INDIA", 96_890),
        share(.bse, 532_540, "TCS", "TATA CONSULTANCY SERV LT", 305_615),
        // BSE has symbols with a space.
        share(.bse, 539_115, "ALAN SCOTT", "ALAN SCOTT ENTERPRISES", 31_250),
    ]

    private static func share(
        _ segment: Segment, _ token: UInt32, _ root: String, _ name: String, _ price: Int64
    ) -> SimulatedInstrument {
        SimulatedInstrument(
            segment: segment, token: token, root: root, name: name, contract: .cash, tickSize: price < 100 ? 1 : 5,
            lotSize: 1, basePrice: price)
    }

    private static let indices: [SimulatedInstrument] = [
        index(.nseIndex, "NIFTY", "NIFTY 50", 2_612_345, .init(kite: 1_001, angel: 99_926_000, noren: 26_000)),
        index(.nseIndex, "BANKNIFTY", "NIFTY BANK", 5_834_510, .init(kite: 1_016, angel: 99_926_009, noren: 26_009)),
        index(.nseIndex, "INDIAVIX", "INDIA VIX", 1_367, .init(kite: 1_035, angel: 99_926_017, noren: 26_017)),
        // Noren's 1 and 12 on BSE are hand-made tokens that collide with shares elsewhere.
        index(.bseIndex, "SENSEX", "SENSEX", 8_512_033, .init(kite: 1, angel: 99_919_000, noren: 1)),
        index(.bseIndex, "BANKEX", "BANKEX", 6_540_021, .init(kite: 1_047, angel: 99_919_012, noren: 12)),
        index(.mcxIndex, "MCXBULLDEX", "MCXBULLDEX", 2_893_400, .init(kite: 1_120, angel: 99_920_002, noren: 40_002)),
        index(.globalIndex, "GIFTNIFTY", "GIFT NIFTY", 2_620_050, .init(kite: 1_140, angel: 99_926_900, noren: 26_900)),
    ]

    private static func index(
        _ segment: Segment, _ root: String, _ name: String, _ price: Int64, _ tokens: SimulatedInstrument.IndexTokens
    ) -> SimulatedInstrument {
        SimulatedInstrument(
            segment: segment, token: tokens.kite, root: root, name: name, contract: .index, tickSize: 1, lotSize: 1,
            basePrice: price, indexTokens: tokens)
    }
}
