/// A part of an exchange whose instruments share a price scale.
enum Segment: String, CaseIterable, Sendable {
    case nse = "NSE"
    case bse = "BSE"
    case nfo = "NFO"
    case bfo = "BFO"
    case cds = "CDS"
    case bcd = "BCD"
    case mcx = "MCX"
    case nco = "NCO"
    case ncdex = "NCDEX"
    case nseIndex = "NSE_INDEX"
    case bseIndex = "BSE_INDEX"
    case mcxIndex = "MCX_INDEX"
    case globalIndex = "GLOBAL_INDEX"

    /// The exchange in the brokers' words: indices belong to the one that publishes them.
    var exchange: String {
        switch self {
        case .nseIndex: "NSE"
        case .bseIndex: "BSE"
        case .mcxIndex: "MCX"
        case .globalIndex: "GLOBAL"
        default: rawValue
        }
    }

    /// Power of ten of the mantissas of all prices: currencies have four decimals, everything else two.
    var priceExponent: Int8 { self == .cds || self == .bcd ? -4 : -2 }

    /// Indices have no trades, no book and no open interest of their own.
    var isIndex: Bool {
        switch self {
        case .nseIndex, .bseIndex, .mcxIndex, .globalIndex: true
        default: false
        }
    }

    var hasOpenInterest: Bool { !isIndex && self != .nse && self != .bse }
}
