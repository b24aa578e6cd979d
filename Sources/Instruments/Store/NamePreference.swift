import MarketData

/// Which of several instruments that are called alike gets the name: the same one whatever the order of the file.
///
/// 1. The series `EQ`, by the end of the broker's own symbol (`ELECTCAST-EQ`).
/// 2. The broker's symbol that has no series, and is the name itself.
/// 3. `BE`, then `BZ`, `SM` and `ST`, then every other series.
/// 4. What differs from the name in another way.
///
/// Among equals the broker's symbol that comes first, then the token that comes first, both byte by byte.
enum NamePreference {
    private static let series = ["BE": Int64(2), "BZ": 3, "SM": 4, "ST": 5]

    /// The lower, the better.
    static func rank(_ listing: Listing) -> Int64 {
        let (name, theirs) = (listing.instrument.symbol, listing.brokerSymbol)
        if theirs == name { return 1 }
        guard theirs.hasPrefix(name) else { return 20 }
        let rest = theirs.dropFirst(name.count)
        guard rest.first == "-" else { return 20 }
        return rest == "-EQ" ? 0 : series[String(rest.dropFirst())] ?? 10
    }

    /// The name of its own for an instrument that is called like another one: the broker's symbol, if that is a name and
    /// not the other one's too.
    static func own(_ instrument: Instrument, brokerSymbol: String, winner: String) -> Instrument? {
        guard brokerSymbol != instrument.symbol, brokerSymbol != winner else { return nil }
        let own = Instrument(exchange: instrument.exchange, symbol: brokerSymbol)
        return own.isPlausible ? own : nil
    }
}
