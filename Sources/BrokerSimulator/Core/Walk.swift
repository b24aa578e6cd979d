/// The rules by which values move.
enum Walk {
    /// Volumes and interests stay below what the narrowest wire carries, an unsigned 32-bit number.
    static let largestQuantity: Int64 = 4_000_000_000

    /// Values at the open.
    static func opening(of instrument: SimulatedInstrument, now: UInt64, draws: inout Draws) -> Quote {
        let tick = instrument.tickSize
        let close = max(tick, instrument.basePrice / tick * tick)
        let lower = max(tick, close * 8 / 10 / tick * tick)
        let upper = close * 12 / 10 / tick * tick + tick
        let open = min(max(lower, close + (draws.below(21) - 10) * tick), upper)
        var quote = Quote(
            lastPrice: open, open: open, high: open, low: open, close: close, lowerCircuit: lower, upperCircuit: upper,
            yearHigh: close * 15 / 10 / tick * tick + tick, yearLow: max(tick, close * 6 / 10 / tick * tick))
        quote.exchangeTime = now
        guard !instrument.segment.isIndex else { return quote }
        quote.lastTradeTime = now
        quote.lastQuantity = instrument.lotSize
        quote.volume = instrument.lotSize * (1 + draws.below(5_000))
        quote.turnover = quote.volume &* open
        quote.averagePrice = open
        if instrument.segment.hasOpenInterest {
            quote.previousOpenInterest = instrument.lotSize * (1_000 + draws.below(20_000))
            quote.openInterest = quote.previousOpenInterest
            quote.openInterestHigh = quote.openInterest
            quote.openInterestLow = quote.openInterest
        }
        refill(&quote, instrument, &draws)
        return quote
    }

    static func step(_ quote: inout Quote, of instrument: SimulatedInstrument, now: UInt64, draws: inout Draws) {
        quote.version += 1
        quote.exchangeTime = now
        let move = (draws.below(7) - 3) * instrument.tickSize
        let price = min(max(quote.lastPrice + move, quote.lowerCircuit), quote.upperCircuit)
        if instrument.segment.isIndex {
            trade(&quote, at: price)
            return
        }
        // One step in eight is an order that changes the book and trades with nobody.
        if draws.below(8) != 0 {
            trade(&quote, at: price)
            quote.lastTradeTime = now
            quote.lastQuantity = instrument.lotSize * (1 + draws.below(20))
            if quote.volume + quote.lastQuantity <= largestQuantity {
                quote.volume += quote.lastQuantity
                quote.turnover &+= quote.lastQuantity &* price
            }
            quote.averagePrice = quote.turnover / quote.volume
        }
        if instrument.segment.hasOpenInterest {
            let change = (draws.below(11) - 5) * instrument.lotSize
            quote.openInterest = min(max(quote.openInterest + change, 0), largestQuantity)
            quote.openInterestHigh = max(quote.openInterestHigh, quote.openInterest)
            quote.openInterestLow = min(quote.openInterestLow, quote.openInterest)
        }
        refill(&quote, instrument, &draws)
    }

    private static func trade(_ quote: inout Quote, at price: Int64) {
        quote.lastPrice = price
        quote.high = max(quote.high, price)
        quote.low = min(quote.low, price)
        quote.yearHigh = max(quote.yearHigh, price)
        quote.yearLow = min(quote.yearLow, price)
    }

    /// A book around the last price. At low prices the bids end early: a price of 0 is no bid.
    private static func refill(_ quote: inout Quote, _ instrument: SimulatedInstrument, _ draws: inout Draws) {
        var (bought, sold): (Int64, Int64) = (0, 0)
        for level in 0..<Quote.depth {
            let bits = draws.next()
            let distance = Int64(level + 1) * instrument.tickSize
            let bid = quote.lastPrice - distance
            let orders = Int64(bits & 31) + 1
            let lots = Int64((bits >> 8) & 255) + orders
            quote.bids[level] =
                bid > 0
                ? BookLevel(price: bid, quantity: lots * instrument.lotSize, orders: orders) : BookLevel()
            bought += quote.bids[level].quantity
            let askOrders = Int64((bits >> 16) & 31) + 1
            let askLots = Int64((bits >> 24) & 255) + askOrders
            quote.asks[level] = BookLevel(
                price: quote.lastPrice + distance, quantity: askLots * instrument.lotSize, orders: askOrders)
            sold += quote.asks[level].quantity
        }
        // The whole book is deeper than the part that is shown.
        quote.totalBuyQuantity = bought * 3
        quote.totalSellQuantity = sold * 3
    }
}
