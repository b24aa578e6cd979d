import Testing

@testable import MarketData

@Suite struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(capacity: 1)
        body(&writer)
        return writer.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        arguments: [
            (118_775, -2, "1187.75"), (140_100, -2, "1401.0"), (35_210_000, -8, "0.3521"), (6421, -8, "0.00006421"),
            (0, -2, "0.0"), (-5, -2, "-0.05"), (-12_345, -2, "-123.45"), (7, 0, "7.0"), (7, 3, "7000.0"),
            (Int64.max, -18, "9.223372036854775807"), (Int64.min, -2, "-92233720368547758.08"), (100, -2, "1.0"),
        ] as [(Int64, Int8, String)])
    func priceKeepsEveryDigit(mantissa: Int64, exponent: Int8, text: String) {
        #expect(written { $0.decimal(mantissa, exponent: exponent) } == text)
    }

    @Test func quantitiesAreIntegersUnlessFractional() {
        #expect(written { $0.decimal(1_175_986, exponent: 0, whole: true) } == "1175986")
        #expect(written { $0.decimal(619_500_000_000, exponent: -8) } == "6195.0")
        #expect(written { $0.decimal(150_000_000, exponent: -8) } == "1.5")
    }

    @Test func integersAtTheirEnds() {
        #expect(written { $0.unsigned(0) } == "0")
        #expect(written { $0.unsigned(.max) } == "18446744073709551615")
        #expect(written { $0.integer(.min) } == "-9223372036854775808")
        #expect(written { $0.unsigned(9) } + written { $0.unsigned(10) } == "910")
    }

    @Test func stringsAreEscaped() {
        #expect(written { $0.string("M&M \"é\"\\\n\u{1}") } == "\"M&M \\\"é\\\"\\\\\\n\\u0001\"")
    }
}
