/// Merging a later update into an earlier one, for adapters whose broker sends deltas and which have to make snapshots.
extension Tick {
    /// Takes over every value that `newer` holds and keeps the others.
    ///
    /// The times, the sequence number and the flags become those of `newer`; the mode becomes the richer of the two.
    /// Both have to be of the same instrument and have the same exponents, otherwise nothing changes and `false` is
    /// returned.
    @discardableResult
    public mutating func merge(_ newer: Tick) -> Bool {
        guard newer.instrument == instrument, newer.priceExponent == priceExponent,
            newer.quantityExponent == quantityExponent
        else { return false }
        mode = max(mode, newer.mode)
        flags = newer.flags
        exchangeTime = newer.exchangeTime ?? exchangeTime
        receivedAt = newer.receivedAt ?? receivedAt
        sequence = newer.sequence ?? sequence
        if let value = newer.lastPrice { lastPrice = value }
        if let value = newer.lastQuantity { lastQuantity = value }
        if let value = newer.averagePrice { averagePrice = value }
        if let value = newer.open { open = value }
        if let value = newer.high { high = value }
        if let value = newer.low { low = value }
        if let value = newer.previousClose { previousClose = value }
        if let value = newer.volume { volume = value }
        if let value = newer.openInterest { openInterest = value }
        if let value = newer.openInterestHigh { openInterestHigh = value }
        if let value = newer.openInterestLow { openInterestLow = value }
        if let value = newer.previousOpenInterest { previousOpenInterest = value }
        if let value = newer.totalBuyQuantity { totalBuyQuantity = value }
        if let value = newer.totalSellQuantity { totalSellQuantity = value }
        if let value = newer.lowerLimit { lowerLimit = value }
        if let value = newer.upperLimit { upperLimit = value }
        if let value = newer.yearHigh { yearHigh = value }
        if let value = newer.yearLow { yearLow = value }
        if let value = newer.turnover { turnover = value }
        if let value = newer.bid { bid = value }
        if let value = newer.ask { ask = value }
        if let value = newer.lastTradeTime { lastTradeTime = value }
        return true
    }
}
