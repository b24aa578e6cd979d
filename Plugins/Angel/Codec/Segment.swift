import AdapterKit

/// A market segment of Angel One, by its number in requests and packets (`exchangeType`). Tokens are unique within one.
enum Segment: UInt8, CaseIterable {
    case nseCash = 1
    case nseDerivatives = 2
    case bseCash = 3
    case bseDerivatives = 4
    case mcx = 5
    case ncdex = 7
    case currency = 13

    /// The OpenAlgo exchanges that these segments hold.
    static let exchanges = allCases.map(\.exchange) + ["NSE_INDEX", "BSE_INDEX", "MCX_INDEX"]

    /// As the instrument master's `exch_seg` and OpenAlgo call it.
    var exchange: String {
        switch self {
        case .nseCash: "NSE"
        case .nseDerivatives: "NFO"
        case .bseCash: "BSE"
        case .bseDerivatives: "BFO"
        case .mcx: "MCX"
        case .ncdex: "NCDEX"
        case .currency: "CDS"
        }
    }

    /// The segment that the instrument master calls `name`; nil for one that the feed does not carry. Never a default:
    /// a wrong segment brings the prices of another instrument.
    init?(_ name: Bytes) {
        if name == "NSE" {
            self = .nseCash
        } else if name == "NFO" {
            self = .nseDerivatives
        } else if name == "BSE" {
            self = .bseCash
        } else if name == "BFO" {
            self = .bseDerivatives
        } else if name == "MCX" {
            self = .mcx
        } else if name == "CDS" {
            self = .currency
        } else if name == "NCDEX" {
            self = .ncdex
        } else {
            return nil
        }
    }

    /// The power of ten of all prices: paise, and ten-millionths of a rupee for currencies.
    var priceExponent: Int8 { self == .currency ? -7 : -2 }

    /// Shares and indices have no open interest; the wire says 0.
    var hasOpenInterest: Bool { self != .nseCash && self != .bseCash }
}
