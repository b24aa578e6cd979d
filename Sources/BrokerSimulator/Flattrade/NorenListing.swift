/// A scrip as the family names it: tokens are unique within an exchange only.
struct NorenScrip: Hashable, Sendable {
    /// NSE, BSE, NFO, BFO, CDS, MCX or NCX.
    let exchange: String
    let token: String

    /// `NSE|22`, as in requests.
    var key: String { "\(exchange)|\(token)" }
}

/// An instrument in the family's words. Precision and mantissas are those of the instrument's segment.
struct NorenListing: Sendable {
    let scrip: NorenScrip
    let symbol: String
    /// Decimals of every price: 4 for currencies, else 2.
    let precision: Int
    let lotSize: Int64
    /// A mantissa.
    let tickSize: Int64
    let isIndex: Bool
    let hasOpenInterest: Bool

    /// Nil for what the family does not carry.
    init?(_ instrument: SimulatedInstrument) {
        guard let exchange = Self.exchange(of: instrument.segment) else { return nil }
        scrip = NorenScrip(exchange: exchange, token: String(instrument.indexTokens?.noren ?? instrument.token))
        symbol = Self.symbol(of: instrument)
        precision = -Int(instrument.segment.priceExponent)
        lotSize = instrument.lotSize
        tickSize = instrument.tickSize
        isIndex = instrument.segment.isIndex
        hasOpenInterest = instrument.segment.hasOpenInterest
    }

    private static func exchange(of segment: Segment) -> String? {
        switch segment {
        case .nse, .nseIndex: "NSE"
        case .bse, .bseIndex: "BSE"
        case .nfo, .bfo, .cds, .mcx: segment.rawValue
        case .ncdex: "NCX"
        case .bcd, .nco, .mcxIndex, .globalIndex: nil
        }
    }

    /// `NTPC-EQ`, `NIFTY25AUG26F`, `NIFTY16SEP25C25000`; MCX futures without the F, BFO as the exchange spells it.
    private static func symbol(of instrument: SimulatedInstrument) -> String {
        let root = instrument.root
        switch instrument.contract {
        case .cash: return instrument.segment == .nse ? "\(root)-EQ" : root
        case .index: return indexSymbols[root] ?? root
        case .future(let expiry):
            if instrument.segment == .bfo { return "\(root)\(expiry.twoDigitYear)\(expiry.monthName)FUT" }
            let suffix = instrument.segment == .mcx ? "" : "F"
            return "\(root)\(expiry.twoDigitDay)\(expiry.monthName)\(expiry.twoDigitYear)\(suffix)"
        case .option(let expiry, let strike, let right):
            let price = DecimalText.shortest(strike, exponent: instrument.segment.priceExponent)
            if instrument.segment == .bfo {
                return "\(root)\(expiry.twoDigitYear)\(expiry.monthName)\(price)\(right.rawValue)"
            }
            let date = "\(expiry.twoDigitDay)\(expiry.monthName)\(expiry.twoDigitYear)"
            return "\(root)\(date)\(right.rawValue.prefix(1))\(price)"
        }
    }

    private static let indexSymbols = [
        "NIFTY": "Nifty 50", "BANKNIFTY": "Nifty Bank", "INDIAVIX": "INDIA VIX",
    ]
}
