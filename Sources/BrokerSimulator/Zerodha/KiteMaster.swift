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
            if let listing = KiteListing(instrument) { text.writeString(row(instrument, listing)) }
        }
        return text
    }

    private static func row(_ instrument: SimulatedInstrument, _ listing: KiteListing) -> String {
        let exponent = instrument.segment.priceExponent
        let type =
            switch instrument.contract {
            case .cash, .index: "EQ"
            case .future: "FUT"
            case .option(_, _, let right): right.rawValue
            }
        let expiry = instrument.expiry.map { "\($0.year)-\($0.twoDigitMonth)-\($0.twoDigitDay)" } ?? ""
        let isIndex = listing.isIndex
        let columns = [
            String(listing.token), String(instrument.token), listing.symbol, "\"\(instrument.name)\"", "0", expiry,
            DecimalText.shortest(instrument.strike ?? 0, exponent: exponent),
            isIndex ? "0" : DecimalText.shortest(instrument.tickSize, exponent: exponent),
            isIndex ? "0" : String(instrument.lotSize), type, listing.segment, listing.exchange,
        ]
        return columns.joined(separator: ",") + "\n"
    }
}
