/// One price in an order book.
struct BookLevel: Sendable, Equatable {
    /// A mantissa with the segment's exponent.
    var price: Int64 = 0
    var quantity: Int64 = 0
    /// How many orders make up the quantity.
    var orders: Int64 = 0
}

/// What an instrument is worth: everything that any broker can tell of it.
///
/// Prices are mantissas with the segment's exponent, quantities are units (not lots), times are ns since the Unix
/// epoch. An index has neither trades nor book: what belongs to them stays 0.
struct Quote: Sendable {
    /// Levels of the book on each side.
    static let depth = 20

    /// Grows by 1 whenever something changes, so that encoded packets can be kept.
    var version: UInt64 = 0
    var lastPrice: Int64
    var lastQuantity: Int64 = 0
    var averagePrice: Int64 = 0
    var volume: Int64 = 0
    var totalBuyQuantity: Int64 = 0
    var totalSellQuantity: Int64 = 0
    var open: Int64
    var high: Int64
    var low: Int64
    /// Yesterday's.
    var close: Int64
    var lastTradeTime: UInt64 = 0
    var exchangeTime: UInt64 = 0
    var openInterest: Int64 = 0
    var openInterestHigh: Int64 = 0
    var openInterestLow: Int64 = 0
    var previousOpenInterest: Int64 = 0
    var lowerCircuit: Int64
    var upperCircuit: Int64
    var yearHigh: Int64
    var yearLow: Int64
    /// Best first, always ``depth`` of them.
    var bids = [BookLevel](repeating: BookLevel(), count: depth)
    var asks = [BookLevel](repeating: BookLevel(), count: depth)
    /// Price times quantity of all trades, from which the average comes.
    var turnover: Int64 = 0
}
