/// Exact conversion of decimal text and of mantissas with a power of ten. No binary fraction is ever involved.
///
/// ```swift
/// DecimalText.mantissa(of: bytes, exponent: -8)  // "0.35210000" → 35210000
/// DecimalText.rescale(118_775, from: -2, to: -4) // 11877500
/// ```
public enum DecimalText {
    /// The whole number `m` for which `text` equals `m * 10^exponent`.
    ///
    /// Accepts what JSON calls a number, and trailing zeros to any length. `nil` if the text is no number, does not fit
    /// an `Int64`, or has more digits than the exponent can hold.
    public static func mantissa(of text: Bytes, exponent: Int) -> Int64? {
        let bytes = text.buffer
        let count = bytes.count
        var offset = 0
        let isNegative = count > 0 && bytes[0] == UInt8(ascii: "-")
        if isNegative { offset = 1 }

        var value: UInt64 = 0
        var power = 0
        // Zeros are held back until a digit follows, so that "1.2500000000000000000000" costs no room.
        var heldZeros = 0
        var digits = 0
        var point = false
        while offset < count {
            let byte = bytes[offset]
            let digit = byte &- UInt8(ascii: "0")
            if digit <= 9 {
                digits += 1
                if point { power -= 1 }
                if digit == 0 {
                    heldZeros += 1
                } else {
                    guard let next = append(digit, after: heldZeros, to: value) else { return nil }
                    value = next
                    heldZeros = 0
                }
            } else if byte == UInt8(ascii: "."), !point, digits > 0 {
                point = true
                digits = 0
            } else {
                break
            }
            offset += 1
        }
        guard digits > 0 else { return nil }
        if offset < count {
            guard let shift = exponentPart(bytes, from: offset) else { return nil }
            power += shift
        }
        return scaled(value, power: power + heldZeros - exponent, isNegative: isNegative)
    }

    /// The mantissa at the exponent `to` of a number that has `mantissa` at the exponent `from`.
    ///
    /// `nil` if it does not fit or would lose a digit.
    public static func rescale(_ mantissa: Int64, from: Int, to: Int) -> Int64? {
        let (distance, overflow) = from.subtractingReportingOverflow(to)
        guard !overflow else { return nil }
        return scaled(mantissa.magnitude, power: distance, isNegative: mantissa < 0)
    }

    @inline(__always)
    private static func append(_ digit: UInt8, after zeros: Int, to value: UInt64) -> UInt64? {
        var value = value
        if value != 0 {
            guard zeros < 19 else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: powers[zeros + 1])
            guard !overflow else { return nil }
            value = shifted
        }
        let (sum, carry) = value.addingReportingOverflow(UInt64(digit))
        return carry ? nil : sum
    }

    private static func exponentPart(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard bytes[start] | 0x20 == UInt8(ascii: "e") else { return nil }
        var offset = start + 1
        var isNegative = false
        if offset < bytes.count, bytes[offset] == UInt8(ascii: "-") || bytes[offset] == UInt8(ascii: "+") {
            isNegative = bytes[offset] == UInt8(ascii: "-")
            offset += 1
        }
        guard offset < bytes.count else { return nil }
        var value = 0
        while offset < bytes.count {
            let digit = bytes[offset] &- UInt8(ascii: "0")
            guard digit <= 9, value < 10_000 else { return nil }
            value = value * 10 + Int(digit)
            offset += 1
        }
        return isNegative ? -value : value
    }

    private static func scaled(_ value: UInt64, power: Int, isNegative: Bool) -> Int64? {
        if value == 0 { return 0 }
        guard power > -20, power < 20 else { return nil }
        var magnitude = value
        if power >= 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: powers[power])
            guard !overflow else { return nil }
            magnitude = product
        } else {
            let (quotient, rest) = value.quotientAndRemainder(dividingBy: powers[-power])
            guard rest == 0 else { return nil }
            magnitude = quotient
        }
        if isNegative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int64(exactly: magnitude)
    }

    /// 10^0 … 10^19; a literal, so that it is laid out at compile time.
    private static let powers: [UInt64] = [
        1,
        10,
        100,
        1_000,
        10_000,
        100_000,
        1_000_000,
        10_000_000,
        100_000_000,
        1_000_000_000,
        10_000_000_000,
        100_000_000_000,
        1_000_000_000_000,
        10_000_000_000_000,
        100_000_000_000_000,
        1_000_000_000_000_000,
        10_000_000_000_000_000,
        100_000_000_000_000_000,
        1_000_000_000_000_000_000,
        10_000_000_000_000_000_000,
    ]
}
