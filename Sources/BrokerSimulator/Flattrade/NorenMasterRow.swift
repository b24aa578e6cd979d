/// An instrument in the family's files, each column as its text.
struct NorenMasterRow {
    let exchange: String
    let token: String
    let lotSize: Int64
    let root: String
    let symbol: String
    /// EQ, INDEX, UNDIND, FUTIDX, OPTSTK, FUTCUR, OPTFUT and so on.
    let type: String
    /// `28-NOV-2026`; empty without one.
    let expiry: String
    let strike: String
    /// CE, PE, XX for futures; empty for shares.
    let right: String
    let tickSize: String
    /// Which of Flattrade's files it is in.
    let csvName: String

    /// The zipped files name two indices in their own way.
    var textSymbol: String {
        guard type == "INDEX" else { return symbol }
        return switch root {
        case "NIFTY": "NIFTY INDEX"
        case "BANKNIFTY": "NIFTY BANK"
        default: symbol
        }
    }

    /// Nil for what the family does not carry.
    init?(_ instrument: SimulatedInstrument, isOnIndex: Bool) {
        guard let listing = NorenListing(instrument) else { return nil }
        let exponent = instrument.segment.priceExponent
        exchange = listing.scrip.exchange
        token = listing.scrip.token
        lotSize = instrument.lotSize
        root = instrument.root
        symbol = listing.symbol
        type = Self.type(of: instrument, isOnIndex: isOnIndex)
        expiry = instrument.expiry.map { "\($0.twoDigitDay)-\($0.monthName)-\($0.year)" } ?? ""
        strike = Self.strike(of: instrument)
        right = Self.right(of: instrument)
        tickSize = DecimalText.fixed(instrument.tickSize, exponent: exponent)
        csvName = Self.csvName(exchange, isOnIndex: isOnIndex)
    }

    private static func strike(of instrument: SimulatedInstrument) -> String {
        switch instrument.contract {
        case .cash, .index: ""
        case .future: "0"
        case .option(_, let strike, _): DecimalText.shortest(strike, exponent: instrument.segment.priceExponent)
        }
    }

    private static func right(of instrument: SimulatedInstrument) -> String {
        switch instrument.contract {
        case .cash, .index: ""
        case .future: "XX"
        case .option(_, _, let right): right.rawValue
        }
    }

    private static func type(of instrument: SimulatedInstrument, isOnIndex: Bool) -> String {
        switch instrument.contract {
        case .cash: instrument.segment == .bse ? "A" : "EQ"
        case .index: instrument.segment == .bseIndex ? "UNDIND" : "INDEX"
        case .future, .option: instrument.derivativeType(isOnIndex: isOnIndex)
        }
    }

    private static func csvName(_ exchange: String, isOnIndex: Bool) -> String {
        switch exchange {
        case "NSE": "NSE_Equity.csv"
        case "BSE": "BSE_Equity.csv"
        case "NFO": isOnIndex ? "Nfo_Index_Derivatives.csv" : "Nfo_Equity_Derivatives.csv"
        case "BFO": isOnIndex ? "Bfo_Index_Derivatives.csv" : "Bfo_Equity_Derivatives.csv"
        case "CDS": "Currency_Derivatives.csv"
        default: "Commodity.csv"
        }
    }
}
