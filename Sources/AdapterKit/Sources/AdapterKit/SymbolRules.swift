/// OpenAlgo's rules for names, the same for every broker (OpenAlgo documentation, "Symbol format").
public enum SymbolRules {
    /// A future: the underlying, the day of expiry, `FUT`, e.g. `BANKNIFTY24APR24FUT`.
    public static func future(_ underlying: String, _ expiry: CalendarDay) -> String {
        underlying + expiry.symbolText + "FUT"
    }

    /// An option: the underlying, the day of expiry, the strike without zeros behind the point, and `CE` or `PE`, e.g.
    /// `NIFTY28MAR2420800CE`, `USDINR19APR2482.5CE`.
    public static func option(
        _ underlying: String, _ expiry: CalendarDay, strike: Int64, exponent: Int8, _ type: String
    ) -> String {
        underlying + expiry.symbolText + decimal(strike, exponent: exponent) + type
    }

    /// `mantissa * 10^exponent` without zeros behind the point.
    public static func decimal(_ mantissa: Int64, exponent: Int8) -> String {
        guard exponent < 0 else {
            return DecimalText.rescale(mantissa, from: Int(exponent), to: 0).map { "\($0)" } ?? ""
        }
        var digits = String(mantissa.magnitude)
        let places = -Int(exponent)
        if digits.utf8.count <= places {
            digits = String(repeating: "0", count: places + 1 - digits.utf8.count) + digits
        }
        let point = digits.index(digits.endIndex, offsetBy: -places)
        var fraction = digits[point...]
        while fraction.last == "0" { fraction.removeLast() }
        let sign = mantissa < 0 ? "-" : ""
        return sign + digits[..<point] + (fraction.isEmpty ? "" : "." + fraction)
    }

    /// OpenAlgo's name of an index that brokers call by its full name, e.g. `NIFTY 50` → `NIFTY`; other names lose their
    /// spaces and become capitals.
    public static func index(_ name: String) -> String {
        let capitals = name.uppercased()
        return indexNames[capitals] ?? String(capitals.filter { $0 != " " })
    }

    private static let indexNames = [
        "NIFTY 50": "NIFTY", "NIFTY BANK": "BANKNIFTY", "NIFTY FIN SERVICE": "FINNIFTY",
        "NIFTY MID SELECT": "MIDCPNIFTY", "NIFTY MIDCAP SELECT": "MIDCPNIFTY", "NIFTY NEXT 50": "NIFTYNXT50",
        "INDIA VIX": "INDIAVIX", "NIFTY FINANCIAL SERVICES": "FINNIFTY",
    ]
}
