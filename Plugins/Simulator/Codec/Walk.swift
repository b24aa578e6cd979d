/// The random walk of one instrument: prices in paise, quantities in units. One `step` is one trade.
struct Walk {
    let handle: UInt32
    let listing: Listing
    let pitch: Int64
    let limits: (lower: Int64, upper: Int64)
    private var random: RandomSource
    /// Prices are pulled back towards the open, so that a session of hours stays plausible.
    private let pull: Int64

    private(set) var bid: Int64
    private(set) var ask: Int64
    private(set) var last: Int64
    private(set) var lastQuantity: Int64 = 0
    private(set) var open: Int64
    private(set) var high: Int64
    private(set) var low: Int64
    private(set) var volume: Int64 = 0
    /// Traded value of the day, in paise.
    private(set) var turnover: Int64 = 0
    private(set) var openInterest: Int64 = 0
    private(set) var openInterestHigh: Int64 = 0
    private(set) var openInterestLow: Int64 = 0
    let previousOpenInterest: Int64
    let yearHigh: Int64
    let yearLow: Int64
    private(set) var sequence: UInt64 = 0

    init(handle: UInt32, listing: Listing, name: String, seed: UInt64) {
        self.handle = handle
        self.listing = listing
        pitch = listing.pitch
        limits = listing.limits
        pull = max(1, listing.close / 400)
        var random = RandomSource(seed: seed, instrument: name, purpose: 1)
        func rounded(_ price: Int64) -> Int64 { max(Listing.tickSize, price / Listing.tickSize * Listing.tickSize) }

        // The day opens within half a percent of yesterday's close and has seen some trading already.
        let gap = listing.close / 200
        open = rounded(listing.close - gap + random.next(below: 2 * gap + 1))
        open = min(max(open, limits.lower), limits.upper)
        last = open
        bid = open
        ask = open
        high = open
        low = open
        yearHigh = max(rounded(listing.close + listing.close / 100 * (5 + random.next(below: 40))), limits.upper)
        yearLow = min(rounded(listing.close - listing.close / 100 * (5 + random.next(below: 40))), limits.lower)
        if listing.kind != .index {
            let lots = max(1, 2_000_000_000 / listing.close / listing.lot)
            volume = (lots + random.next(below: 20 * lots)) * listing.lot
            turnover = volume * open
        }
        if listing.isDerivative {
            previousOpenInterest = (1_000 + random.next(below: 50_000)) * listing.lot
        } else {
            previousOpenInterest = 0
        }
        openInterest = previousOpenInterest
        openInterestHigh = openInterest
        openInterestLow = openInterest
        self.random = random
        spread(to: 1)
    }

    var averagePrice: Int64 { volume > 0 ? turnover / volume : last }

    /// Makes one trade; tells whether the day's high or low is new.
    mutating func step() -> Bool {
        let dice = random.next()
        sequence &+= 1
        let bias = min(max((last - open) / pull, -24), 24)
        let throwing = Int64(dice & 0xFF)
        var move: Int64 = 0
        if throwing < 64 - bias { move = pitch } else if throwing >= 192 - bias { move = -pitch }
        if dice >> 8 & 0x3F == 0 { move *= 3 }

        if listing.kind == .index {
            last = min(max(last + move, limits.lower), limits.upper)
            bid = last
            ask = last
        } else {
            trade(move, dice)
        }
        guard last > high || last < low else { return false }
        high = max(high, last)
        low = min(low, last)
        return true
    }

    private mutating func trade(_ move: Int64, _ dice: UInt64) {
        let distance = ask - bid
        bid = min(max(bid + move, limits.lower), limits.upper - distance)
        ask = bid + distance
        if dice >> 16 & 0x1F == 0 { spread(to: 1 + Int64(dice >> 24 & 0xFF) % 3) }
        last = dice >> 32 & 1 == 0 ? bid : ask
        // Many small trades, few large ones.
        lastQuantity = listing.lot * (1 + Int64(dice >> 33 & 7) * Int64(dice >> 36 & 7))
        let value = lastQuantity * last
        let (sum, overflow) = turnover.addingReportingOverflow(value)
        // At a million ticks a second a day's figures are full within the hour: then a new day begins.
        turnover = overflow ? value : sum
        volume = overflow ? lastQuantity : volume + lastQuantity
        guard listing.isDerivative else { return }
        openInterest = max(0, openInterest + (Int64(dice >> 48 & 7) - 3) * listing.lot)
        openInterestHigh = max(openInterestHigh, openInterest)
        openInterestLow = min(openInterestLow, openInterest)
    }

    private mutating func spread(to pitches: Int64) {
        guard listing.kind != .index else { return }
        ask = bid + pitches * pitch
        guard ask > limits.upper else { return }
        ask = limits.upper
        bid = max(limits.lower, ask - pitches * pitch)
    }
}
