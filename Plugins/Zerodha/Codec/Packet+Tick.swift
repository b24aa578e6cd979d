import AdapterKit

// From a packet to a tick: the offsets of Kite Connect's WebSocket docs, "Quote packet structure" and "Index packet
// structure".
extension Packet {
    private static let bookOffset = 64
    private static let levelSize = 12
    private static let levels = 5

    /// What the packet says of the instrument of `subscription`, all but the levels of the book.
    ///
    /// Only for known kinds.
    @inline(__always)
    func tick(of subscription: Subscription, receivedAt: UInt64) -> Tick {
        var tick = Tick(
            instrument: subscription.handle, mode: .lastPrice, priceExponent: subscription.priceExponent,
            receivedAt: receivedAt)
        // Kite sends no deltas: what is not in a packet is not known in that mode. One that is poorer than what was
        // asked for was under way when the mode changed and must not wipe out what a richer one has brought.
        if mode >= subscription.mode { tick.flags = .snapshot }
        tick.lastPrice = knownPrice(4)
        switch kind {
        case .full:
            fillQuote(&tick)
            fillFull(&tick)
        case .quote:
            fillQuote(&tick)
        case .indexFull:
            fillIndex(&tick)
            tick.exchangeTime = time(28)
        case .indexQuote:
            fillIndex(&tick)
        case .lastPrice, .unknown:
            break
        }
        return tick
    }

    @inline(__always)
    private func fillQuote(_ tick: inout Tick) {
        tick.mode = .quote
        tick.lastQuantity = quantity(8)
        tick.averagePrice = knownPrice(12)
        tick.volume = quantity(16)
        tick.totalBuyQuantity = quantity(20)
        tick.totalSellQuantity = quantity(24)
        tick.open = knownPrice(28)
        tick.high = knownPrice(32)
        tick.low = knownPrice(36)
        tick.previousClose = knownPrice(40)
    }

    @inline(__always)
    private func fillFull(_ tick: inout Tick) {
        tick.mode = .depth
        tick.lastTradeTime = time(44)
        tick.openInterest = quantity(48)
        tick.openInterestHigh = quantity(52)
        tick.openInterestLow = quantity(56)
        tick.exchangeTime = time(60)
        tick.bid = top(0)
        tick.ask = top(Self.levels)
    }

    /// An index has another order of prices than what can be traded, and the change at 24 follows from two of them.
    @inline(__always)
    private func fillIndex(_ tick: inout Tick) {
        tick.mode = .quote
        tick.high = knownPrice(8)
        tick.low = knownPrice(12)
        tick.open = knownPrice(16)
        tick.previousClose = knownPrice(20)
    }

    // MARK: - Book

    /// Takes over the five levels of each side, best first. Only for ``Kind/full``.
    @inline(__always)
    func readBook(into bids: LevelBuffer, _ asks: LevelBuffer) {
        readSide(from: 0, into: bids)
        readSide(from: Self.levels, into: asks)
    }

    /// Levels that do not exist are zeros behind those that do; after the close that may be all of them.
    @inline(__always)
    private func readSide(from first: Int, into side: LevelBuffer) {
        side.removeAll()
        var end = first + Self.levels
        while end > first, isEmpty(level: end - 1) { end -= 1 }
        for level in first..<end {
            let offset = Self.bookOffset + level * Self.levelSize
            side.append(
                Level(
                    price: price(offset + 4), quantity: quantity(offset), orders: UInt32(unsigned16(offset + 8))))
        }
    }

    @inline(__always)
    private func isEmpty(level: Int) -> Bool {
        let offset = Self.bookOffset + level * Self.levelSize
        return unsigned(offset) | unsigned(offset + 4) == 0
    }

    /// The best level of a side.
    @inline(__always)
    private func top(_ level: Int) -> BookTop {
        guard !isEmpty(level: level) else { return .withdrawn }
        let offset = Self.bookOffset + level * Self.levelSize
        return BookTop(price: price(offset + 4), quantity: quantity(offset))
    }
}
