import AdapterKit
import AdapterTestKit
import Testing

@Suite struct DecimalTextTests {
    private func mantissa(_ text: String, _ exponent: Int) -> Int64? {
        var text = text
        return text.withUTF8 { DecimalText.mantissa(of: Bytes($0), exponent: exponent) }
    }

    @Test(
        arguments: [
            ("0.35210000", -8, 35_210_000), ("0", -8, 0), ("-0", 0, 0), ("0.00000000", -8, 0), ("1187.75", -2, 118_775),
            ("1187.75", -4, 11_877_500), ("-12.5", -1, -125), ("1000", 0, 1_000), ("1000", 3, 1), ("1e3", 0, 1_000),
            ("1.5E-7", -8, 15), ("1.5e+2", 0, 150), ("0.100000000000000000000000000000000000000000", -1, 1),
            ("100000000000000000000e-20", 0, 1), ("007", 0, 7), ("9223372036854775807", 0, Int64.max),
            ("-9223372036854775808", 0, Int64.min), ("92233720368.54775807", -8, Int64.max), ("5.", 0, nil),
            (".5", -1, nil),
            ("9223372036854775808", 0, nil), ("92233720368.54775808", -8, nil), ("0.000000001", -8, nil),
            ("1.5", 0, nil),
            ("", 0, nil), ("-", 0, nil), ("+1", 0, nil), ("1.2.3", -8, nil), ("1e", 0, nil), ("1e+", 0, nil),
            ("1e99999", 0, nil), ("0e99", 0, 0), ("1,5", -1, nil), ("NaN", 0, nil), (" 1", 0, nil), ("1 ", 0, nil),
            ("99999999999999999999", 0, nil), ("10000000000000000000000000000001", 0, nil), ("0x10", 0, nil),
        ] as [(String, Int, Int64?)])
    func readsExactly(text: String, exponent: Int, expected: Int64?) {
        #expect(mantissa(text, exponent) == expected, "\(text) at \(exponent)")
    }

    @Test(
        arguments: [
            ("83.474999999999994", -8, 8_347_500_000, 8_347_499_999),
            ("83.25249999999999545", -8, 8_325_250_000, 8_325_249_999),
            ("-0.0000000050", -8, -1, 0), ("-1.55", -1, -16, -15), ("1.54", -1, 15, 15), ("2.5", 0, 3, 2),
            ("2.49", 0, 2, 2),
            ("10.0", 0, 10, 10), ("1187.75", -2, 118_775, 118_775), ("9223372036854775807.5", 0, nil, Int64.max),
            ("92233720368547758070.5", 0, nil, nil), ("1.2x", 0, nil, nil), ("1.23e1", -1, 123, 123),
            ("1.23e1", 0, nil, nil),
            (".5", 0, nil, nil), ("1.2.3", 0, nil, nil), ("15", 1, nil, nil), ("1.5", 1, nil, nil), ("", -8, nil, nil),
            ("null", -8, nil, nil), ("5.", 0, nil, nil),
        ] as [(String, Int, Int64?, Int64?)])
    func shortensWhatIsTooLong(text: String, exponent: Int, rounded: Int64?, truncated: Int64?) {
        var text = text
        text.withUTF8 { buffer in
            #expect(DecimalText.rounded(Bytes(buffer), exponent: exponent) == rounded)
            #expect(DecimalText.truncated(Bytes(buffer), exponent: exponent) == truncated)
        }
    }

    @Test func rescales() {
        #expect(DecimalText.rescale(118_775, from: -2, to: -4) == 11_877_500)
        #expect(DecimalText.rescale(11_877_500, from: -4, to: -2) == 118_775)
        #expect(DecimalText.rescale(11_877_501, from: -4, to: -2) == nil)
        #expect(DecimalText.rescale(.max, from: 0, to: -1) == nil)
        #expect(DecimalText.rescale(.min, from: -3, to: -3) == .min)
        #expect(DecimalText.rescale(0, from: 100, to: -100) == 0)
        #expect(DecimalText.rescale(1, from: .max, to: .min) == nil)
    }

    @Test func agreesWithIntegerArithmetic() {
        var random = SeededNumbers(seed: 7)
        for _ in 0..<20_000 {
            let value = Int64.random(in: -9_999_999_999_999...9_999_999_999_999, using: &random)
            let digits = Int.random(in: 0...8, using: &random)
            let scale = (0..<digits).reduce(Int64(1)) { power, _ in power * 10 }
            let fraction = String(value.magnitude % UInt64(scale))
            let zeros = String(repeating: "0", count: max(0, digits - fraction.count))
            let whole = value.magnitude / UInt64(scale)
            let text = "\(value < 0 ? "-" : "")\(whole)\(digits > 0 ? ".\(zeros)\(fraction)" : "")"
            #expect(mantissa(text, -digits) == value)
        }
    }
}
