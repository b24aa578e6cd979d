/// What an instrument is: the part that does not move. Each venue spells symbols and tokens in its own way from this.
struct SimulatedInstrument: Sendable {
    enum Right: String, Sendable {
        case call = "CE"
        case put = "PE"
    }

    enum Contract: Sendable {
        case cash
        case index
        case future(expiry: CalendarDay)
        /// The strike is a mantissa with the segment's exponent.
        case option(expiry: CalendarDay, strike: Int64, right: Right)
    }

    /// Indices have no token of their exchange: every broker makes up its own.
    struct IndexTokens: Sendable {
        /// Kite's exchange token.
        var kite: UInt32
        var angel: UInt32
        var noren: UInt32
    }

    let segment: Segment
    /// The exchange's token. Unique in the exchange only: some collide across exchanges on purpose.
    let token: UInt32
    /// `INFY`, or the underlying of a derivative: `NIFTY`.
    let root: String
    /// The long name: `INFOSYS`, `NIFTY 50`.
    let name: String
    let contract: Contract
    /// A mantissa with the segment's exponent.
    let tickSize: Int64
    let lotSize: Int64
    /// Where the walk begins: yesterday's close, a mantissa.
    let basePrice: Int64
    var indexTokens: IndexTokens?

    var expiry: CalendarDay? {
        switch contract {
        case .future(let expiry), .option(let expiry, _, _): expiry
        case .cash, .index: nil
        }
    }

    var strike: Int64? {
        if case .option(_, let strike, _) = contract { strike } else { nil }
    }

    /// `FUTIDX`, `OPTSTK`, `FUTCUR`, `OPTFUT` and so on, as exchanges call what is no share and no index.
    func derivativeType(isOnIndex: Bool) -> String {
        let isFuture = strike == nil
        return switch segment {
        case .cds, .bcd: isFuture ? "FUTCUR" : "OPTCUR"
        case .nfo, .bfo: (isFuture ? "FUT" : "OPT") + (isOnIndex ? "IDX" : "STK")
        default: isFuture ? "FUTCOM" : "OPTFUT"
        }
    }

    /// The symbol that OpenAlgo gives it, for people: `INFY`, `NIFTY30DEC26FUT`, `USDINR29DEC2683.25CE`.
    var symbol: String {
        switch contract {
        case .cash, .index: root
        case .future(let expiry): "\(root)\(Self.spelled(expiry))FUT"
        case .option(let expiry, let strike, let right):
            "\(root)\(Self.spelled(expiry))\(DecimalText.shortest(strike, exponent: segment.priceExponent))\(right.rawValue)"
        }
    }

    private static func spelled(_ day: CalendarDay) -> String {
        "\(day.twoDigitDay)\(day.monthName)\(day.twoDigitYear)"
    }
}
