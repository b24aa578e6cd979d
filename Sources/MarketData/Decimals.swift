/// Exact decimal arithmetic on a mantissa and a power of ten, as SBE does it: no float between the wire and the client.
public enum Decimals {
    /// 10 to the power of `exponent`, 0 to 19.
    @inlinable
    public static func power(_ exponent: Int) -> UInt64 {
        var value: UInt64 = 1
        for _ in 0..<max(0, min(exponent, 19)) { value &*= 10 }
        return value
    }

    /// The mantissa that says the same with another exponent; nil when it does not fit or would lose digits.
    public static func rescale(_ mantissa: Int64, from: Int8, to: Int8) -> Int64? {
        if from == to { return mantissa }
        let shift = Int(from) - Int(to)
        if shift > 0 {
            guard shift <= 18 else { return mantissa == 0 ? 0 : nil }
            let (value, overflow) = mantissa.multipliedReportingOverflow(by: Int64(power(shift)))
            return overflow ? nil : value
        }
        guard shift >= -18 else { return mantissa == 0 ? 0 : nil }
        let (quotient, remainder) = mantissa.quotientAndRemainder(dividingBy: Int64(power(-shift)))
        return remainder == 0 ? quotient : nil
    }
}
