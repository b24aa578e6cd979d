import AdapterKit

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

/// From a token to its subscription, by one multiplication and, as a rule, one look.
///
/// Open addressing with linear probing; at most half of the places are used, and 0, which is no token, marks a free one.
final class TokenTable {
    private var places: UnsafeMutablePointer<UInt32>
    private var values: UnsafeMutablePointer<Subscription>
    /// log2 of the number of places.
    private var bits: Int
    private(set) var count = 0

    init() {
        bits = 6
        (places, values) = Self.allocate(bits)
    }

    deinit {
        places.deallocate()
        values.deallocate()
    }

    /// The subscription of a token.
    @inline(__always)
    subscript(token: UInt32) -> Subscription? {
        guard token != 0 else { return nil }
        let place = find(token)
        return places[place] == token ? values[place] : nil
    }

    /// Adds a subscription or takes the place of an older one of the same token, which has to be no 0.
    func set(_ value: Subscription) {
        guard value.token != 0 else { return }
        var place = find(value.token)
        if places[place] == 0 {
            if (count + 1) * 2 > 1 << bits {
                grow()
                place = find(value.token)
            }
            count += 1
        }
        places[place] = value.token
        (values + place).initialize(to: value)
    }

    /// Forgets a token.
    func remove(_ token: UInt32) {
        guard token != 0 else { return }
        var hole = find(token)
        guard places[hole] == token else { return }
        count -= 1
        // Whoever stands behind the hole and would be sought in front of it moves into it.
        let mask = (1 << bits) - 1
        var next = (hole + 1) & mask
        while places[next] != 0 {
            let home = home(places[next])
            if (next - home) & mask >= (next - hole) & mask {
                places[hole] = places[next]
                values[hole] = values[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        places[hole] = 0
    }

    /// Forgets every token.
    func removeAll() {
        places.update(repeating: 0, count: 1 << bits)
        count = 0
    }

    /// The place of `token`, or the free one where it would go.
    @inline(__always)
    private func find(_ token: UInt32) -> Int {
        let mask = (1 << bits) &- 1
        var place = home(token)
        while places[place] != token, places[place] != 0 { place = (place &+ 1) & mask }
        return place
    }

    /// Fibonacci hashing: tokens of one segment differ in their upper bytes only, and the multiplication spreads them.
    @inline(__always)
    private func home(_ token: UInt32) -> Int {
        Int(truncatingIfNeeded: (token &* 0x9E37_79B1) >> UInt32(truncatingIfNeeded: 32 &- bits))
    }

    private func grow() {
        let (oldPlaces, oldValues, oldCount) = (places, values, 1 << bits)
        bits += 1
        (places, values) = Self.allocate(bits)
        for old in 0..<oldCount where oldPlaces[old] != 0 {
            let place = find(oldPlaces[old])
            places[place] = oldPlaces[old]
            (values + place).initialize(to: oldValues[old])
        }
        oldPlaces.deallocate()
        oldValues.deallocate()
    }

    private static func allocate(
        _ bits: Int
    ) -> (UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<Subscription>) {
        let places = UnsafeMutablePointer<UInt32>.allocate(capacity: 1 << bits)
        places.initialize(repeating: 0, count: 1 << bits)
        return (places, .allocate(capacity: 1 << bits))
    }
}
