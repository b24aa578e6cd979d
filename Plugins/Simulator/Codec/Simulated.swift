import AdapterKit

/// One subscribed instrument: its walk, its book if it has one, and what of them is published.
struct Simulated {
    private(set) var walk: Walk
    private var book: OrderBook?
    private var mode = Mode.lastPrice
    private var depth = 0

    init(_ walk: Walk, name: String, seed: UInt64) {
        self.walk = walk
        book = walk.listing.kind == .index ? nil : OrderBook(walk, name: name, seed: seed)
    }

    mutating func setMode(_ mode: Mode, depth: Int) {
        self.mode = mode
        self.depth = depth
    }

    /// Everything known, for a client that has just come.
    mutating func publishSnapshot(to output: Output, at now: UInt64) {
        var tick = makeTick(at: now)
        tick.flags = [.snapshot, .last, .synthetic]
        if mode >= .quote {
            tick.open = walk.open
            tick.previousClose = walk.listing.close
            tick.lowerLimit = walk.limits.lower
            tick.upperLimit = walk.limits.upper
            tick.yearHigh = walk.yearHigh
            tick.yearLow = walk.yearLow
            if walk.listing.isDerivative { tick.previousOpenInterest = walk.previousOpenInterest }
            fillQuote(&tick, isNewExtreme: true)
        }
        publish(tick, to: output)
    }

    /// One step of the walk: what has changed.
    @inline(__always)
    mutating func publishStep(to output: Output, at now: UInt64) {
        let isNewExtreme = walk.step()
        var tick = makeTick(at: now)
        if mode == .lastPrice {
            output.batch.append(tick, to: output.host)
            return
        }
        book?.follow(walk)
        fillQuote(&tick, isNewExtreme: isNewExtreme)
        publish(tick, to: output)
    }

    private func makeTick(at now: UInt64) -> Tick {
        var tick = Tick(instrument: walk.handle, mode: mode, priceExponent: -2, receivedAt: now)
        tick.flags = [.last, .synthetic]
        tick.sequence = walk.sequence
        tick.exchangeTime = now
        tick.lastPrice = walk.last
        tick.lastTradeTime = now
        return tick
    }

    private func fillQuote(_ tick: inout Tick, isNewExtreme: Bool) {
        if isNewExtreme {
            tick.high = walk.high
            tick.low = walk.low
        }
        guard let book else { return }
        if walk.lastQuantity > 0 { tick.lastQuantity = walk.lastQuantity }
        tick.volume = walk.volume
        tick.averagePrice = walk.averagePrice
        tick.turnover = walk.turnover
        tick.totalBuyQuantity = book.totalBuy
        tick.totalSellQuantity = book.totalSell
        tick.bid = BookTop(price: walk.bid, quantity: book.bestBidQuantity)
        tick.ask = BookTop(price: walk.ask, quantity: book.bestAskQuantity)
        guard walk.listing.isDerivative else { return }
        tick.openInterest = walk.openInterest
        tick.openInterestHigh = walk.openInterestHigh
        tick.openInterestLow = walk.openInterestLow
    }

    private func publish(_ tick: Tick, to output: Output) {
        guard mode == .depth, let book else { return output.batch.append(tick, to: output.host) }
        book.lay(depth, of: walk, bids: output.bids, asks: output.asks)
        output.host.publish(tick, bids: output.bids, asks: output.asks)
    }
}

/// Where ticks go, and the memory that all instruments share on the way.
struct Output {
    let host: Host
    let batch = TickBatch(capacity: 128)
    let bids = LevelBuffer(capacity: OrderBook.depth)
    let asks = LevelBuffer(capacity: OrderBook.depth)
}
