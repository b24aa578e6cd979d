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

    init(token: UInt32, handle: UInt32, mode: FeedMode) {
        self.token = token
        self.handle = handle
        self.mode = mode
        priceExponent = Self.priceExponent(token)
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
}
