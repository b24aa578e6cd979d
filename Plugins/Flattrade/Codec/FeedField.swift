/// The members of a feed message that this adapter reads (Flattrade Pi and Noren API documentation, "WebSocket"), each
/// with the number of its bit and of its place in ``FeedNumbers``.
///
/// The numbers of the book are in the order bid prices, ask prices, bid quantities, ask quantities, bid orders, ask
/// orders, five each, so that a level's other half is found by adding.
enum FeedField {
    static let lastPrice: UInt8 = 0
    static let averagePrice: UInt8 = 1
    static let open: UInt8 = 2
    static let high: UInt8 = 3
    static let low: UInt8 = 4
    static let previousClose: UInt8 = 5
    static let upperLimit: UInt8 = 6
    static let lowerLimit: UInt8 = 7
    static let yearHigh: UInt8 = 8
    static let yearLow: UInt8 = 9
    static let bidPrice: UInt8 = 10
    static let askPrice: UInt8 = 15
    static let bidQuantity: UInt8 = 20
    static let askQuantity: UInt8 = 25
    static let bidOrders: UInt8 = 30
    static let askOrders: UInt8 = 35
    static let volume: UInt8 = 40
    static let lastQuantity: UInt8 = 41
    static let totalBuy: UInt8 = 42
    static let totalSell: UInt8 = 43
    static let openInterest: UInt8 = 44
    static let previousOpenInterest: UInt8 = 45
    static let feedTime: UInt8 = 46
    static let precision: UInt8 = 47
    /// Up to here the values are numbers, from here on texts.
    static let lastNumber = precision
    static let lastTradeTime: UInt8 = 48
    static let kind: UInt8 = 49
    static let exchange: UInt8 = 50
    static let token: UInt8 = 51
    /// Of a member that is none of them.
    static let unknown = UInt8.max
    /// How many there are.
    static let count = 52

    /// Prices that are not part of the book; 0 in them means that there is none.
    static let dayPrices: UInt64 = 0x3FF
    /// All prices.
    static let prices: UInt64 = 0xF_FFFF
    /// Prices, quantities and orders of the book.
    static let book: UInt64 = ((1 << 30) - 1) << 10
    static let bids: UInt64 = (0x1F << 10) | (0x1F << 20) | (0x1F << 30)
    static let asks: UInt64 = bids << 5
    /// Quantities that are not part of the book.
    static let units: UInt64 = 0x3F << 40
    /// The first field of the book, and how many fields it has.
    static let bookStart = 10
    static let bookCount = 30
    static let levels = 5

    /// `field` is below 64.
    @inline(__always)
    static func bit(_ field: UInt8) -> UInt64 { 1 &<< UInt64(field) }

    /// What each is called on the wire. `oi` is the open interest and `poi` the previous day's; `toi`, which is of all
    /// contracts of the underlying, `pc`, which follows from others, and texts are left out.
    static let names: [(name: String, field: UInt8)] = {
        var names: [(name: String, field: UInt8)] = [
            ("lp", lastPrice), ("ap", averagePrice), ("o", open), ("h", high), ("l", low), ("c", previousClose),
            ("uc", upperLimit), ("lc", lowerLimit), ("52h", yearHigh), ("52l", yearLow), ("v", volume),
            ("ltq", lastQuantity), ("tbq", totalBuy), ("tsq", totalSell), ("oi", openInterest),
            ("poi", previousOpenInterest), ("ft", feedTime), ("ltt", lastTradeTime), ("pp", precision), ("t", kind),
            ("e", exchange), ("tk", token),
        ]
        let sides: [(String, UInt8)] = [
            ("bp", bidPrice), ("sp", askPrice), ("bq", bidQuantity), ("sq", askQuantity), ("bo", bidOrders),
            ("so", askOrders),
        ]
        for (prefix, first) in sides {
            for level in 0..<UInt8(levels) { names.append(("\(prefix)\(level + 1)", first + level)) }
        }
        return names
    }()
}
