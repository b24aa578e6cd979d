// Reading of numbers that are longer than they should be, such as an average or a binary fraction that was printed in
// full: 83.474999999999994. What is exact stays exact.
extension DecimalText {
    /// The mantissa of `text` at `exponent`, rounded half away from zero if the text has more decimals.
    ///
    /// - Returns: `nil` if the text is no number or does not fit.
    public static func rounded(_ text: Bytes, exponent: Int) -> Int64? {
        if let exact = mantissa(of: text, exponent: exponent) { return exact }
        guard let (cut, next) = cut(text, exponent: exponent) else { return nil }
        guard next >= UInt8(ascii: "5") else { return cut }
        let (result, overflow) = cut.addingReportingOverflow(text[0] == UInt8(ascii: "-") ? -1 : 1)
        return overflow ? nil : result
    }

    /// The mantissa of `text` at `exponent`; if the text has more decimals, they are left out.
    ///
    /// - Returns: `nil` if the text is no number or does not fit.
    public static func truncated(_ text: Bytes, exponent: Int) -> Int64? {
        mantissa(of: text, exponent: exponent) ?? cut(text, exponent: exponent)?.mantissa
    }

    /// The mantissa of what `exponent` has room for, and the first digit that is left out.
    private static func cut(_ text: Bytes, exponent: Int) -> (mantissa: Int64, next: UInt8)? {
        guard exponent <= 0, let point = text.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        let end = point + 1 - exponent
        guard let next = text[end], text.slice(from: point + 1).buffer.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }),
            let mantissa = mantissa(of: text.slice(from: 0, to: exponent == 0 ? point : end), exponent: exponent)
        else { return nil }
        return (mantissa, next)
    }
}
