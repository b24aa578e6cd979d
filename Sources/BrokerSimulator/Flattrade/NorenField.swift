/// The changing fields of a touchline or depth message, in the order in which they are sent.
enum NorenField: Int, CaseIterable {
    case lastPrice, change, open, high, low, close, averagePrice, volume
    case lastTradeTime, lastQuantity, totalBuyQuantity, totalSellQuantity
    case openInterest, previousInterest, totalInterest
    case lowerCircuit, upperCircuit, yearHigh, yearLow, closePrice, upperLimit, lowerLimit
    case bidPrice1, bidPrice2, bidPrice3, bidPrice4, bidPrice5
    case bidQuantity1, bidQuantity2, bidQuantity3, bidQuantity4, bidQuantity5
    case bidOrders1, bidOrders2, bidOrders3, bidOrders4, bidOrders5
    case askPrice1, askPrice2, askPrice3, askPrice4, askPrice5
    case askQuantity1, askQuantity2, askQuantity3, askQuantity4, askQuantity5
    case askOrders1, askOrders2, askOrders3, askOrders4, askOrders5
    case feedTime

    /// How a value becomes text.
    enum Form {
        /// In units of the scrip's precision.
        case price
        /// Hundredths of a percent.
        case percent
        case count
        /// Seconds since 1970, written as such.
        case seconds
        /// Seconds since 1970, written as the time of day in India.
        case clock
    }

    var key: String {
        switch self {
        case .lastPrice: "lp"
        case .change: "pc"
        case .open: "o"
        case .high: "h"
        case .low: "l"
        case .close: "c"
        case .averagePrice: "ap"
        case .volume: "v"
        case .lastTradeTime: "ltt"
        case .lastQuantity: "ltq"
        case .totalBuyQuantity: "tbq"
        case .totalSellQuantity: "tsq"
        case .openInterest: "oi"
        case .previousInterest: "poi"
        case .totalInterest: "toi"
        case .lowerCircuit: "lc"
        case .upperCircuit: "uc"
        case .yearHigh: "52h"
        case .yearLow: "52l"
        case .closePrice: "cp"
        case .upperLimit: "ue"
        case .lowerLimit: "le"
        case .feedTime: "ft"
        default: bookKey
        }
    }

    private var bookKey: String {
        let place = rawValue - Self.bidPrice1.rawValue
        return Self.bookColumns[place / 5] + String(place % 5 + 1)
    }

    /// The book's columns, five fields each, from ``bidPrice1`` on.
    private static let bookColumns = ["bp", "bq", "bo", "sp", "sq", "so"]

    var form: Form {
        switch self {
        case .change: .percent
        case .lastTradeTime: .clock
        case .feedTime: .seconds
        case .volume, .lastQuantity, .totalBuyQuantity, .totalSellQuantity, .openInterest, .previousInterest,
            .totalInterest:
            .count
        case .bidQuantity1, .bidQuantity2, .bidQuantity3, .bidQuantity4, .bidQuantity5, .bidOrders1, .bidOrders2,
            .bidOrders3, .bidOrders4, .bidOrders5, .askQuantity1, .askQuantity2, .askQuantity3, .askQuantity4,
            .askQuantity5, .askOrders1, .askOrders2, .askOrders3, .askOrders4, .askOrders5:
            .count
        default: .price
        }
    }

    var isOfTouchline: Bool {
        switch self {
        case .lastPrice, .change, .open, .high, .low, .close, .averagePrice, .volume, .openInterest,
            .previousInterest, .totalInterest, .bidPrice1, .bidQuantity1, .askPrice1, .askQuantity1, .feedTime:
            true
        default: false
        }
    }

    /// The range within which orders are taken is told in deltas only.
    var isOfDeltasOnly: Bool { self == .upperLimit || self == .lowerLimit }
}
