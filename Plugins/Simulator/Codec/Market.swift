import AdapterKit

/// Every symbol that trades here: the built-in lists, derivatives of them, `SYM1`, `SYM2` … for load tests, and the
/// user's own.
struct Market {
    static let exchanges = ["NSE", "BSE", "NFO", "NSE_INDEX", "BSE_INDEX"]

    private var extra: [String: Listing] = [:]

    /// The built-in market and `symbols`, a list such as `NSE:MYSHARE,BSE:OTHER`.
    init(extraSymbols symbols: String) throws(AdapterError) {
        for entry in symbols.split(separator: ",") {
            let parts = entry.split(separator: ":").map { $0.filter { $0 != " " } }
            guard parts.count == 2, Self.exchanges.contains(parts[0]), !parts[1].isEmpty else {
                throw AdapterError(
                    .invalid,
                    "symbols must be EXCHANGE:SYMBOL with one of \(Self.exchanges.joined(separator: ", ")), not \"\(entry)\""
                )
            }
            let name = "\(parts[0]):\(parts[1])"
            let kind: Listing.Kind = parts[0].hasSuffix("_INDEX") ? .index : parts[0] == "NFO" ? .future : .share
            extra[name] = Listing(kind, close: Self.inventedPrice(name), lot: kind == .future ? 100 : 1)
        }
    }

    /// What is known of `symbol` on `exchange`; `nil` if there is no such symbol.
    func listing(_ exchange: String, _ symbol: String) -> Listing? {
        if let own = extra["\(exchange):\(symbol)"] { return own }
        switch exchange {
        case "NSE":
            return Shares.prices[symbol].map { Listing(.share, close: $0) } ?? Self.synthetic(symbol)
        case "BSE":
            return Shares.prices[symbol].map { Listing(.share, close: $0) }
        case "NSE_INDEX":
            return Indices.nse[symbol].map { Listing(.index, close: $0.level) }
        case "BSE_INDEX":
            return Indices.bse[symbol].map { Listing(.index, close: $0) }
        case "NFO":
            return derivative(symbol)
        default:
            return nil
        }
    }

    /// A symbol that may have been meant, or `nil` if none is near.
    func suggestion(_ exchange: String, _ symbol: String) -> String? {
        let wanted = symbol.uppercased()
        if wanted != symbol, listing(exchange, wanted) != nil { return wanted }
        // The right name on the wrong exchange is the commonest slip: NSE:NIFTY for NSE_INDEX:NIFTY.
        if let other = Self.exchanges.first(where: { listing($0, wanted) != nil }) { return "\(other):\(wanted)" }
        switch exchange {
        case "NSE", "BSE": return NearMatch.find(wanted, in: Shares.prices.keys)
        case "NSE_INDEX": return NearMatch.find(wanted, in: Indices.nse.keys)
        case "BSE_INDEX": return NearMatch.find(wanted, in: Indices.bse.keys)
        default: return nil
        }
    }

    private func derivative(_ symbol: String) -> Listing? {
        let name = DerivativeName(symbol) { Shares.prices[$0] != nil || (Indices.nse[$0]?.lot ?? 0) > 0 }
        guard let name else { return nil }
        let index = Indices.nse[name.underlying]
        guard let spot = index?.level ?? Shares.prices[name.underlying] else { return nil }
        // The exchange sets lots so that a contract is worth about 5 lakh rupees, here rounded to 25 shares.
        let lot = index?.lot ?? max(1, 50_000_000 / spot / 25) * 25
        switch name.contract {
        case .future:
            return Listing(.future, close: spot + spot / 250, lot: lot)
        case .option(let strike, let isCall):
            return Listing(.option, close: Self.premium(spot: spot, strike: strike, isCall: isCall), lot: lot)
        }
    }

    /// Intrinsic value and a time value that is 1.5 % of the spot at the money and fades to both sides.
    private static func premium(spot: Int64, strike: Int64, isCall: Bool) -> Int64 {
        let intrinsic = max(0, isCall ? spot - strike : strike - spot)
        let distance = Double(strike - spot) / (Double(spot) * 0.025)
        let time = Double(spot) * 0.015 / (1 + distance * distance * distance * distance)
        return intrinsic + Int64(time)
    }

    /// `SYM1`, `SYM2` … up to nine digits.
    private static func synthetic(_ symbol: String) -> Listing? {
        let digits = symbol.utf8.dropFirst(3)
        guard symbol.utf8.starts(with: "SYM".utf8), (1...9).contains(digits.count),
            digits.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Listing(.share, close: inventedPrice(symbol))
    }

    /// From 50 to 4,050 rupees, always the same for the same name.
    private static func inventedPrice(_ name: String) -> Int64 {
        var random = RandomSource(seed: 0, instrument: name, purpose: 3)
        return 5_000 + random.next(below: 400_000)
    }
}

/// Index levels in paise.
enum Indices {
    /// With the lot of their derivatives; 0 if there are none.
    static let nse: [String: (level: Int64, lot: Int64)] = [
        "NIFTY": (2_598_000, 65), "BANKNIFTY": (5_865_000, 30), "FINNIFTY": (2_738_000, 60),
        "MIDCPNIFTY": (1_382_000, 120), "NIFTYNXT50": (6_905_000, 25), "INDIAVIX": (1_345, 0),
    ]
    static let bse: [String: Int64] = ["SENSEX": 8_485_000, "BANKEX": 6_560_000]
}
