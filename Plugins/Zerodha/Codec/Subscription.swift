/// What is known of a subscribed instrument on the path of a tick.
struct Subscription: Equatable {
    /// Kite's instrument token; never 0.
    let token: UInt32
    /// The host's number of the instrument.
    var handle: UInt32
    /// What was last asked for.
    var mode: FeedMode
    /// The power of ten of its prices.
    let priceExponent: Int8
    /// What is taken off a price whose highest bit is set: 2³² where prices are signed, else 0.
    let priceWrap: Int64

    init(token: UInt32, handle: UInt32, mode: FeedMode) {
        self.token = token
        self.handle = handle
        self.mode = mode
        priceExponent = Self.priceExponent(token)
        priceWrap = Self.hasSignedPrices(token) ? 1 << 32 : 0
    }

    /// The low byte of a token is its segment; currencies and NSE's commodities have finer prices than a paisa (Kite
    /// Connect WebSocket docs, and the official client's divisors).
    private static func priceExponent(_ token: UInt32) -> Int8 {
        switch token & 0xFF {
        case 3: -7  // CDS
        case 6, 12: -4  // BCD, NCO
        default: -2
        }
    }

    /// Whether prices of the segment can go below zero. 32 bits hold either a price below zero or one beyond 2³¹, so a
    /// segment has one or the other:
    ///
    /// - MCX has settled crude oil at −2,884 rupees (20 April 2020), and at two decimals nothing there comes near 2³¹,
    ///   21.4 million rupees: signed.
    /// - NCO has four decimals, and with them bullion is beyond 2³¹, 214,748.3648 rupees: unsigned. Its oil has never been
    ///   below zero; were it to be, it could not be told from a high price.
    /// - Shares, indices, options on them and currencies cannot be below zero: unsigned.
    private static func hasSignedPrices(_ token: UInt32) -> Bool {
        token & 0xFF == 7  // MCX
    }
}
