import MarketData

/// An instrument in Kite's words.
struct KiteListing: Sendable {
    /// Unique across exchanges.
    let token: UInt32
    /// `INFY`, `NIFTY 50`, `NIFTY26NOVFUT`, `USDINR26NOV88.5CE`.
    let symbol: String
    /// `NSE`, also for its indices.
    let exchange: String
    /// The master's column `segment`: `NSE`, `INDICES`, `NFO-OPT`.
    let segment: String
    let isIndex: Bool
    /// Factor from the segment's mantissas to the wire's.
    let scale: Int64
    /// Whether its prices can go below zero, as oil on MCX has; where they cannot, they may go beyond 2³¹.
    let hasSignedPrices: Bool

    /// Nil for what Kite does not carry.
    init?(_ instrument: SimulatedInstrument) {
        guard let kite = KiteSegment(instrument.segment) else { return nil }
        token = instrument.token << 8 | kite.code
        exchange = instrument.segment.exchange
        isIndex = instrument.segment.isIndex
        hasSignedPrices = instrument.segment == .mcx
        scale = kite.divisor / Int64(Decimals.power(-Int(instrument.segment.priceExponent)))
        switch instrument.contract {
        case .cash:
            symbol = instrument.root
            segment = kite.name
        case .index:
            symbol = instrument.name
            segment = kite.name
        case .future(let expiry):
            symbol = "\(Self.month(instrument.root, expiry))FUT"
            segment = "\(kite.name)-FUT"
        case .option(let expiry, let strike, let right):
            let price = DecimalText.shortest(strike, exponent: instrument.segment.priceExponent)
            symbol = "\(Self.month(instrument.root, expiry))\(price)\(right.rawValue)"
            segment = "\(kite.name)-OPT"
        }
    }

    private static func month(_ root: String, _ expiry: CalendarDay) -> String {
        "\(root)\(expiry.twoDigitYear)\(expiry.monthName)"
    }
}
