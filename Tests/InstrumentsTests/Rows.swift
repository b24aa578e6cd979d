import MarketData

/// Rows for tests.
enum Rows {
    static func listing(
        _ exchange: String, _ symbol: String, token: String, brokerSymbol: String? = nil, brokerExchange: String? = nil
    ) -> Listing {
        Listing(
            instrument: Instrument(exchange: exchange, symbol: symbol), brokerSymbol: brokerSymbol ?? symbol,
            brokerExchange: brokerExchange ?? exchange, brokerToken: token, name: "\(symbol) LIMITED", type: "EQ",
            priceExponent: -2, tickSize: 5, strike: 0, lotSize: 1)
    }

    static let shares = ["INFY", "RELIANCE", "RELINFRA", "SBIN", "TATAMOTORS", "TCS"].enumerated().map {
        listing("NSE", $0.element, token: "\(1000 + $0.offset)")
    }

    /// Number `index` of a made-up market of shares and options; every text and number differs from its neighbours'.
    static func synthetic(_ index: Int) -> Listing {
        if index < 5000 {
            return Listing(
                instrument: Instrument(exchange: index % 2 == 0 ? "NSE" : "BSE", symbol: "SHARE\(index)"),
                brokerSymbol: "SHARE\(index)-EQ", brokerExchange: index % 2 == 0 ? "nse_cm" : "bse_cm",
                brokerToken: "\(index)", name: "Company number \(index)", type: "EQ", priceExponent: -2, tickSize: 5,
                lotSize: 1)
        }
        let kind = index % 2 == 0 ? "CE" : "PE"
        return Listing(
            instrument: Instrument(exchange: "NFO", symbol: "UNDER\(index % 180)28NOV24\(index)\(kind)"),
            brokerSymbol: "UNDER\(index % 180)24N28\(index)\(kind)", brokerExchange: "nse_fo", brokerToken: "\(index)",
            name: "UNDER\(index % 180)", type: kind, priceExponent: -4, tickSize: Int64(500 + index % 7),
            strike: Int64(index) * 10_000, lotSize: Int64(25 + index % 50), expiry: 20_241_128)
    }
}
