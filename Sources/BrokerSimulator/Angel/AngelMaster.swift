/// The scrip master: one JSON array whose values are all strings.
///
/// Source: OpenAPIScripMaster.json as Angel One publishes it.
enum AngelMaster {
    static let path = "/OpenAPI_File/files/OpenAPIScripMaster.json"

    /// The whole file, for those instruments that Angel One carries.
    static func file(_ instruments: [SimulatedInstrument]) -> [UInt8] {
        let indices = Set(instruments.lazy.filter(\.segment.isIndex).map(\.root))
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for instrument in instruments {
            guard let listing = AngelListing(instrument) else { continue }
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            bytes += row(instrument, listing, isOnIndex: indices.contains(instrument.root)).utf8
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    private static func row(_ instrument: SimulatedInstrument, _ listing: AngelListing, isOnIndex: Bool) -> String {
        let exponent = instrument.segment.priceExponent
        // Paise: two places fewer than rupees. Strikes of currencies come in the wire's unit instead.
        let strikeExponent = listing.key.exchange == .currency ? exponent + 7 : exponent + 2
        let strike = instrument.strike.map { decimals($0, exponent: strikeExponent) } ?? "-1.000000"
        let expiry = instrument.expiry.map { "\($0.twoDigitDay)\($0.monthName)\($0.year)" } ?? ""
        return JSONText.object([
            ("token", .text(listing.key.token)),
            ("symbol", .text(listing.symbol)),
            ("name", .text(instrument.root)),
            ("expiry", .text(expiry)),
            ("strike", .text(strike)),
            ("lotsize", .text(String(instrument.lotSize))),
            ("instrumenttype", .text(type(of: instrument, isOnIndex: isOnIndex))),
            ("exch_seg", .text(instrument.segment.exchange)),
            ("tick_size", .text(decimals(instrument.tickSize, exponent: exponent + 2))),
        ])
    }

    /// With six decimals, as all numbers of the file have.
    private static func decimals(_ mantissa: Int64, exponent: Int8) -> String {
        var value = mantissa
        for _ in 0..<(6 + Int(exponent)) { value *= 10 }
        return DecimalText.fixed(value, exponent: -6)
    }

    /// Empty for shares.
    static func type(of instrument: SimulatedInstrument, isOnIndex: Bool) -> String {
        switch instrument.contract {
        case .cash: ""
        case .index: "AMXIDX"
        case .future, .option: instrument.derivativeType(isOnIndex: isOnIndex)
        }
    }
}
