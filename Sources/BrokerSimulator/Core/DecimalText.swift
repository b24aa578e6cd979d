import MarketData

/// Decimal numbers as text, exactly.
enum DecimalText {
    /// With all decimals of the exponent, or with `decimals` of them: 157315e-2 is `1573.15`.
    static func fixed(_ mantissa: Int64, exponent: Int8) -> String {
        guard exponent < 0 else { return String(mantissa * Int64(Decimals.power(Int(exponent)))) }
        let scale = Decimals.power(-Int(exponent))
        let (whole, fraction) = mantissa.magnitude.quotientAndRemainder(dividingBy: scale)
        let digits = String(fraction)
        let zeros = String(repeating: "0", count: -Int(exponent) - digits.count)
        return "\(mantissa < 0 ? "-" : "")\(whole).\(zeros)\(digits)"
    }

    /// Without the zeros at the end: 2500000e-2 is `25000`.
    static func shortest(_ mantissa: Int64, exponent: Int8) -> String {
        var text = fixed(mantissa, exponent: exponent)
        guard exponent < 0 else { return text }
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// The mantissa of a number that came as a float in JSON: rounded to the nearest.
    /// - Returns: Nil beyond ``largestPrice``.
    static func mantissa(_ value: Double, exponent: Int8) -> Int64? {
        let scaled = (value * Double(Decimals.power(-Int(exponent)))).rounded()
        return Int64(exactly: scaled).flatMap { $0.magnitude <= largestPrice ? $0 : nil }
    }

    /// Venues scale prices and make percents of them, which must not overflow.
    private static let largestPrice: UInt64 = 1_000_000_000_000
}
