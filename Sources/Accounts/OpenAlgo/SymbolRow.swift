import GRDB
import MarketData

/// One row of OpenAlgo's `symtoken` as a ``Listing``.
enum SymbolRow {
    /// Decimal exponents that are tried for strikes and tick sizes, which OpenAlgo keeps as floats.
    private static let exponents: [Int8] = [-2, -4, -6, -8]
    private static let months = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ]

    /// Nil for what has no symbol, exchange or token.
    static func listing(_ row: Row) -> Listing? {
        func text(_ column: String) -> String { OpenAlgoSnapshot.text(row, column) }
        let instrument = Instrument(exchange: text("exchange"), symbol: text("symbol"))
        let token = brokerToken(text("token"))
        guard instrument.isPlausible, !token.isEmpty else { return nil }
        let strike = number(row, "strike")
        let tick = number(row, "tick_size")
        let exponent = exponents.first { mantissa(strike, $0) != nil && mantissa(tick, $0) != nil } ?? 0
        return Listing(
            instrument: instrument, brokerSymbol: text("brsymbol"), brokerExchange: brokerExchange(text("brexchange")),
            brokerToken: token, name: text("name"), type: text("instrumenttype"), priceExponent: exponent,
            tickSize: mantissa(tick, exponent) ?? 0, strike: mantissa(strike, exponent) ?? 0,
            lotSize: max(0, Int64(exactly: number(row, "lotsize").rounded()) ?? 0), expiry: expiry(text("expiry")))
    }

    /// Where a broker has two numbers, OpenAlgo writes `OWN::::EXCHANGES`; feeds and order updates name the first.
    static func brokerToken(_ text: String) -> String {
        text.firstRange(of: "::::").map { String(text[..<$0.lowerBound]) } ?? text
    }

    /// `NSE_INDEX` is OpenAlgo's word for the indices of a segment, and no broker's.
    static func brokerExchange(_ text: String) -> String {
        text.hasSuffix("_INDEX") ? String(text.dropLast("_INDEX".count)) : text
    }

    /// `29-DEC-26` or `29-DEC-2026` as 20261229; 0 for anything else.
    static func expiry(_ text: String) -> UInt32 {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let day = UInt32(parts[0]), (1...31).contains(day),
            let month = months.firstIndex(of: parts[1].uppercased()), let year = UInt32(parts[2]),
            parts[2].count == 4 || parts[2].count == 2
        else { return 0 }
        return (parts[2].count == 2 ? 2000 + year : year) * 10_000 + UInt32(month + 1) * 100 + day
    }

    /// Exact, or nil. A strike of -0.01 is one broker's way to say none.
    private static func mantissa(_ value: Double, _ exponent: Int8) -> Int64? {
        guard value > 0 else { return 0 }
        let scaled = value * Double(Decimals.power(-Int(exponent)))
        guard scaled < 9e15, abs(scaled - scaled.rounded()) <= scaled * 1e-9 else { return nil }
        return Int64(scaled.rounded())
    }

    private static func number(_ row: Row, _ column: String) -> Double {
        guard row.hasColumn(column) else { return 0 }
        return Double.fromDatabaseValue(row[column]) ?? 0
    }
}
