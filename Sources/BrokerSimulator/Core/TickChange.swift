/// Values that a fault `tick` sets; what it leaves out stays. Prices in rupees or points, quantities in units, times in
/// ms since the Unix epoch.
struct TickChange: Sendable, Decodable {
    var ltp, atp, open, high, low, close, lowerCircuit, upperCircuit, yearHigh, yearLow: Double?
    var ltq, volume, tbq, tsq, oi, oiHigh, oiLow, previousOI: Int64?
    var lastTradeTime, exchangeTime: UInt64?
    /// Rows of price, quantity and orders, best first; the other levels become empty.
    var bids, asks: [[Double]]?

    enum CodingKeys: String, CodingKey {
        case ltp, atp, open, high, low, close, ltq, volume, tbq, tsq, oi, bids, asks
        case lowerCircuit = "lower_circuit"
        case upperCircuit = "upper_circuit"
        case yearHigh = "52_week_high"
        case yearLow = "52_week_low"
        case oiHigh = "oi_high"
        case oiLow = "oi_low"
        case previousOI = "oi_previous"
        case lastTradeTime = "last_trade_time"
        case exchangeTime = "exchange_time"
    }

    /// More than the narrow wires carry, which is for tests to try; the market goes on walking from there.
    private static let largestQuantity: Int64 = 1_000_000_000_000_000

    /// - Throws: When a number has no place in a quote, or a book has the wrong shape.
    func apply(to quote: inout Quote, exponent: Int8) throws(SimulatorError) {
        func set(_ path: WritableKeyPath<Quote, Int64>, _ value: Double?) throws(SimulatorError) {
            guard let value else { return }
            quote[keyPath: path] = try Self.mantissa(value, exponent)
        }
        try set(\.lastPrice, ltp)
        try set(\.averagePrice, atp)
        try set(\.open, open)
        try set(\.high, high)
        try set(\.low, low)
        try set(\.close, close)
        try set(\.lowerCircuit, lowerCircuit)
        try set(\.upperCircuit, upperCircuit)
        try set(\.yearHigh, yearHigh)
        try set(\.yearLow, yearLow)
        func set(_ path: WritableKeyPath<Quote, Int64>, _ value: Int64?) throws(SimulatorError) {
            guard let value else { return }
            guard (0...Self.largestQuantity).contains(value) else {
                throw SimulatorError("tick: the quantity \(value) is not within 0…\(Self.largestQuantity).")
            }
            quote[keyPath: path] = value
        }
        try set(\.lastQuantity, ltq)
        try set(\.volume, volume)
        try set(\.totalBuyQuantity, tbq)
        try set(\.totalSellQuantity, tsq)
        try set(\.openInterest, oi)
        try set(\.openInterestHigh, oiHigh)
        try set(\.openInterestLow, oiLow)
        try set(\.previousOpenInterest, previousOI)
        if let lastTradeTime { quote.lastTradeTime = lastTradeTime &* 1_000_000 }
        if let exchangeTime { quote.exchangeTime = exchangeTime &* 1_000_000 }
        if let bids { quote.bids = try Self.levels(bids, exponent) }
        if let asks { quote.asks = try Self.levels(asks, exponent) }
    }

    private static func mantissa(_ value: Double, _ exponent: Int8) throws(SimulatorError) -> Int64 {
        guard let mantissa = DecimalText.mantissa(value, exponent: exponent) else {
            throw SimulatorError("tick: \(value) is no price.")
        }
        return mantissa
    }

    private static func levels(_ rows: [[Double]], _ exponent: Int8) throws(SimulatorError) -> [BookLevel] {
        guard rows.count <= Quote.depth, rows.allSatisfy({ $0.count == 3 }) else {
            throw SimulatorError("tick: a book is at most \(Quote.depth) rows of [price, quantity, orders].")
        }
        var levels = [BookLevel](repeating: BookLevel(), count: Quote.depth)
        for (index, row) in rows.enumerated() {
            guard let quantity = Int64(exactly: row[1]), let orders = Int64(exactly: row[2]) else {
                throw SimulatorError("tick: quantities and orders are whole numbers.")
            }
            levels[index] = BookLevel(price: try mantissa(row[0], exponent), quantity: quantity, orders: orders)
        }
        return levels
    }
}
