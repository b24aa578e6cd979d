import MarketData

/// A market segment of Angel One. Tokens are unique only within one.
enum AngelExchange: UInt8, CaseIterable, Sendable {
    case nseCash = 1
    case nseDerivatives = 2
    case bseCash = 3
    case bseDerivatives = 4
    case mcx = 5
    case ncdex = 7
    case currency = 13

    /// Power of ten of every price in a packet: paise, and ten-millionths of a rupee for currencies.
    var priceExponent: Int8 { self == .currency ? -7 : -2 }

    /// Nil for what Angel One does not carry.
    init?(_ segment: Segment) {
        switch segment {
        case .nse, .nseIndex: self = .nseCash
        case .nfo: self = .nseDerivatives
        case .bse, .bseIndex: self = .bseCash
        case .bfo: self = .bseDerivatives
        case .mcx, .mcxIndex: self = .mcx
        case .ncdex: self = .ncdex
        case .cds: self = .currency
        case .bcd, .nco, .globalIndex: return nil
        }
    }
}

/// One (segment, token) pair, as requests name an instrument.
struct AngelKey: Hashable, Sendable {
    let exchange: AngelExchange
    let token: String
}

/// An instrument in Angel One's words.
struct AngelListing: Sendable {
    let key: AngelKey
    let symbol: String
    let isIndex: Bool
    /// Factor from the segment's mantissas to the wire's.
    let scale: Int64

    /// Nil for what Angel One does not carry.
    init?(_ instrument: SimulatedInstrument) {
        guard let exchange = AngelExchange(instrument.segment) else { return nil }
        let token = instrument.indexTokens?.angel ?? instrument.token
        key = AngelKey(exchange: exchange, token: String(token))
        symbol = Self.symbol(of: instrument)
        isIndex = instrument.segment.isIndex
        scale = Int64(Decimals.power(Int(instrument.segment.priceExponent - exchange.priceExponent)))
    }

    private static func symbol(of instrument: SimulatedInstrument) -> String {
        switch instrument.contract {
        case .cash: instrument.segment == .nse ? "\(instrument.root)-EQ" : instrument.root
        case .index: indexSymbols[instrument.root] ?? instrument.root
        case .future, .option: instrument.symbol
        }
    }

    private static let indexSymbols = [
        "NIFTY": "Nifty 50", "BANKNIFTY": "Nifty Bank", "INDIAVIX": "India VIX",
    ]
}
