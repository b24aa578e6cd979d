/// The values of one scrip at one moment. What the scrip does not have stays absent, which is not zero.
struct NorenImage: Equatable {
    static let absent = Int64.min

    private(set) var values = ContiguousArray(repeating: absent, count: NorenField.allCases.count)

    private subscript(field: NorenField) -> Int64 {
        get { values[field.rawValue] }
        set { values[field.rawValue] = newValue }
    }

    /// - Parameter totalInterest: Of all contracts on the underlying; nil leaves it as it was told before.
    init(_ quote: Quote, of listing: NorenListing, totalInterest: Int64?, sendsClosePrice: Bool) {
        self[.feedTime] = Int64(quote.exchangeTime / 1_000_000_000)
        self[.close] = quote.close
        if sendsClosePrice { self[.closePrice] = quote.close }
        if listing.isIndex || quote.volume > 0 { setTrades(quote, isIndex: listing.isIndex) }
        guard !listing.isIndex else { return }
        if listing.hasOpenInterest {
            self[.openInterest] = quote.openInterest
            self[.previousInterest] = quote.previousOpenInterest
            if let totalInterest { self[.totalInterest] = totalInterest }
        }
        self[.totalBuyQuantity] = quote.totalBuyQuantity
        self[.totalSellQuantity] = quote.totalSellQuantity
        self[.lowerCircuit] = quote.lowerCircuit
        self[.upperCircuit] = quote.upperCircuit
        self[.lowerLimit] = quote.lowerCircuit
        self[.upperLimit] = quote.upperCircuit
        self[.yearHigh] = quote.yearHigh
        self[.yearLow] = quote.yearLow
        for level in 0..<5 {
            setLevel(quote.bids[level], at: NorenField.bidPrice1.rawValue + level)
            setLevel(quote.asks[level], at: NorenField.askPrice1.rawValue + level)
        }
    }

    /// Takes over what another image knows.
    mutating func merge(_ newer: NorenImage) {
        for place in values.indices where newer.values[place] != Self.absent { values[place] = newer.values[place] }
    }

    /// What a client knows after a snapshot.
    var withoutDeltaFields: NorenImage {
        var image = self
        for field in NorenField.allCases where field.isOfDeltasOnly { image[field] = Self.absent }
        return image
    }

    /// What a scrip that has not traded today lacks.
    private mutating func setTrades(_ quote: Quote, isIndex: Bool) {
        self[.lastPrice] = quote.lastPrice
        self[.change] = Self.change(quote.lastPrice, from: quote.close)
        self[.open] = quote.open
        self[.high] = quote.high
        self[.low] = quote.low
        guard !isIndex else { return }
        self[.averagePrice] = quote.averagePrice
        self[.volume] = quote.volume
        self[.lastTradeTime] = Int64(quote.lastTradeTime / 1_000_000_000)
        self[.lastQuantity] = quote.lastQuantity
    }

    /// Hundredths of a percent, rounded half away from zero.
    static func change(_ price: Int64, from close: Int64) -> Int64 {
        guard close > 0 else { return 0 }
        let tenThousandths = (price - close) * 10_000
        let half = tenThousandths < 0 ? -close / 2 : close / 2
        return (tenThousandths + half) / close
    }

    /// One level of one side of the book. A level without orders is zeros.
    private mutating func setLevel(_ level: BookLevel, at place: Int) {
        values[place] = level.price
        values[place + 5] = level.quantity
        values[place + 10] = level.orders
    }
}
