import MarketData

/// How Kite numbers a segment and scales its prices (Kite Connect WebSocket docs, and its official Python client for
/// NCO).
struct KiteSegment {
    /// The low byte of an instrument token.
    let code: UInt32
    /// What prices on the wire are multiplied by.
    let divisor: Int64
    /// The master's column `segment`, for cash.
    let name: String

    init(_ segment: Segment) {
        (code, divisor, name) =
            switch segment {
            case .nse: (1, 100, "NSE")
            case .nfo: (2, 100, "NFO")
            case .cds: (3, 10_000_000, "CDS")
            case .bse: (4, 100, "BSE")
            case .bfo: (5, 100, "BFO")
            case .bcd: (6, 10_000, "BCD")
            case .mcx: (7, 100, "MCX")
            case .nseIndex, .bseIndex, .mcxIndex, .globalIndex: (9, 100, "INDICES")
            case .nco: (12, 10_000, "NCO")
            }
    }

    /// From a mantissa of ours to a price on the wire.
    func scale(from exponent: Int8) -> Int64 { divisor / Int64(Decimals.power(-Int(exponent))) }
}

extension SimulatedInstrument {
    /// Unique across exchanges.
    var kiteToken: UInt32 { token << 8 | KiteSegment(segment).code }

    /// `INFY`, `NIFTY 50`, `NIFTY26NOVFUT`, `USDINR26NOV88.5CE`.
    var kiteSymbol: String {
        switch contract {
        case .cash: root
        case .index: name
        case .future(let expiry): "\(root)\(expiry.twoDigitYear)\(expiry.monthName)FUT"
        case .option(let expiry, let strike, let right):
            "\(root)\(expiry.twoDigitYear)\(expiry.monthName)"
                + "\(DecimalText.shortest(strike, exponent: segment.priceExponent))\(right.rawValue)"
        }
    }
}
