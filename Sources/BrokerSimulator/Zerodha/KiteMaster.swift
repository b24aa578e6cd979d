import NIOCore

/// The instrument master as CSV (Kite Connect docs, "Market quotes and instruments").
enum KiteMaster {
    private static let header =
        "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,"
        + "instrument_type,segment,exchange\n"

    /// - Parameter exchange: Only its rows.
    static func csv(_ market: Market, exchange: String?) -> ByteBuffer {
        var text = ByteBuffer(string: header)
        for instrument in market.instruments where exchange == nil || exchange == instrument.segment.exchange {
            text.writeString(row(instrument))
        }
        return text
    }

    private static func row(_ instrument: SimulatedInstrument) -> String {
        let exponent = instrument.segment.priceExponent
        let segment = KiteSegment(instrument.segment).name
        let (type, part): (String, String) =
            switch instrument.contract {
            case .cash, .index: ("EQ", segment)
            case .future: ("FUT", "\(segment)-FUT")
            case .option(_, _, let right): (right.rawValue, "\(segment)-OPT")
            }
        let expiry = instrument.expiry.map { "\($0.year)-\($0.twoDigitMonth)-\($0.twoDigitDay)" } ?? ""
        let isIndex = instrument.segment.isIndex
        let columns = [
            String(instrument.kiteToken), String(instrument.token), instrument.kiteSymbol, "\"\(instrument.name)\"",
            "0",
            expiry, DecimalText.shortest(instrument.strike ?? 0, exponent: exponent),
            isIndex ? "0" : DecimalText.shortest(instrument.tickSize, exponent: exponent),
            isIndex ? "0" : String(instrument.lotSize), type, part, instrument.segment.exchange,
        ]
        return columns.joined(separator: ",") + "\n"
    }
}
