import AdapterKit

/// The order book of one instrument: it follows the best bid and ask, and a few of its quantities change with each
/// step.
struct OrderBook {
    static let depth = 30

    private var random: RandomSource
    /// Quantities by distance from the best price; the prices follow from the best one.
    private var bidQuantities: [Int64]
    private var askQuantities: [Int64]
    private var bestBid: Int64
    private var bestAsk: Int64
    /// What a usual order holds, in units.
    private let order: Int64
    /// What lies behind the visible levels.
    private var deepBuy: Int64
    private var deepSell: Int64

    init(_ walk: Walk, name: String, seed: UInt64) {
        random = RandomSource(seed: seed, instrument: name, purpose: 2)
        order = max(1, 20_000_000 / walk.listing.close / walk.listing.lot) * walk.listing.lot
        bestBid = walk.bid
        bestAsk = walk.ask
        bidQuantities = Array(repeating: 0, count: Self.depth)
        askQuantities = Array(repeating: 0, count: Self.depth)
        deepBuy = order * (500 + random.next(below: 2_000))
        deepSell = order * (500 + random.next(below: 2_000))
        for level in 0..<Self.depth {
            bidQuantities[level] = Self.quantity(at: level, order, walk.listing.lot, &random)
            askQuantities[level] = Self.quantity(at: level, order, walk.listing.lot, &random)
        }
    }

    /// Follows the walk by one step.
    mutating func follow(_ walk: borrowing Walk) {
        let lot = walk.listing.lot
        Self.shift(&bidQuantities, by: (bestBid - walk.bid) / walk.pitch, order, lot, &random)
        Self.shift(&askQuantities, by: (walk.ask - bestAsk) / walk.pitch, order, lot, &random)
        bestBid = walk.bid
        bestAsk = walk.ask
        let dice = random.next()
        let bid = Int(dice & 0xFF) * Int(dice >> 8 & 0xFF) * Self.depth >> 16
        let ask = Int(dice >> 16 & 0xFF) * Int(dice >> 24 & 0xFF) * Self.depth >> 16
        bidQuantities[bid] = Self.quantity(at: bid, order, lot, &random)
        askQuantities[ask] = Self.quantity(at: ask, order, lot, &random)
        deepBuy = max(order, deepBuy + (Int64(dice >> 32 & 15) - 7) * lot)
        deepSell = max(order, deepSell + (Int64(dice >> 36 & 15) - 7) * lot)
    }

    /// The quantity of all buy orders, those behind the visible levels included.
    var totalBuy: Int64 { bidQuantities.reduce(deepBuy, &+) }

    /// The quantity of all sell orders, those behind the visible levels included.
    var totalSell: Int64 { askQuantities.reduce(deepSell, &+) }

    /// What is wanted at the best bid.
    var bestBidQuantity: Int64 { bidQuantities[0] }

    /// What is offered at the best ask.
    var bestAskQuantity: Int64 { askQuantities[0] }

    /// Writes the first `count` levels of each side that lie within the day's limits.
    func lay(_ count: Int, of walk: borrowing Walk, bids: LevelBuffer, asks: LevelBuffer) {
        bids.removeAll()
        asks.removeAll()
        for level in 0..<min(count, Self.depth) {
            let away = Int64(level) * walk.pitch
            if bestBid - away >= walk.limits.lower { add(bidQuantities[level], at: bestBid - away, to: bids) }
            if bestAsk + away <= walk.limits.upper { add(askQuantities[level], at: bestAsk + away, to: asks) }
        }
    }

    private func add(_ quantity: Int64, at price: Int64, to side: LevelBuffer) {
        side.append(Level(price: price, quantity: quantity, orders: UInt32(clamping: 1 + quantity / order)))
    }

    /// Few units at the best price, more behind it.
    private static func quantity(
        at level: Int, _ order: Int64, _ lot: Int64, _ random: inout RandomSource
    ) -> Int64 {
        lot * (1 + random.next(below: order / lot * Int64(2 + min(level, 8))))
    }

    /// Moves quantities when the best price has moved by `count` levels away from the other side, or towards it if
    /// negative.
    private static func shift(
        _ quantities: inout [Int64], by count: Int64, _ order: Int64, _ lot: Int64, _ random: inout RandomSource
    ) {
        let moved = Int(clamping: min(count.magnitude, UInt64(depth)))
        guard moved > 0 else { return }
        if count > 0 {
            // The best levels were used up; unknown ones come into view at the far end.
            for level in 0..<depth - moved { quantities[level] = quantities[level + moved] }
            for level in (depth - moved)..<depth { quantities[level] = quantity(at: level, order, lot, &random) }
        } else {
            for level in stride(from: depth - 1, through: moved, by: -1) {
                quantities[level] = quantities[level - moved]
            }
            for level in 0..<moved { quantities[level] = quantity(at: level, order, lot, &random) }
        }
    }
}
