import AdapterKit

/// What is remembered of one feed of one scrip: the book, because levels and their halves come one at a time. All other
/// values go out as they come, and the host remembers them.
///
/// Touchline and depth are separate subscriptions with separate states. A state is good from its snapshot on.
struct FeedState {
    /// The broker has been asked for it.
    var isSent = false
    /// When it was: ns since the Unix epoch, UTC.
    var sentAt: UInt64 = 0
    /// The snapshot has come.
    var isConfirmed = false
    /// Something has traded on the day that the feed speaks of: a volume above 0 has come.
    var hasTraded = false
    /// Decimals of all prices, the book's too.
    var decimals: UInt8
    /// Bits of the fields of the book that are known, see ``FeedField``.
    var known: UInt64 = 0

    init(decimals: UInt8) {
        self.decimals = decimals
    }
}

/// The numbers of one book, in the order of ``FeedField``, with the state that says which are known.
struct FeedBook {
    let state: UnsafeMutablePointer<FeedState>
    let numbers: UnsafeMutablePointer<Int64>

    /// Takes over the fields of the book that `header` has.
    @inline(__always)
    func merge(_ header: FeedHeader, from message: FeedNumbers) -> Int {
        var rest = header.present & FeedField.book
        var unreadable = 0
        while rest != 0 {
            let field = UInt8(truncatingIfNeeded: rest.trailingZeroBitCount)
            rest &= rest &- 1
            let places = field < FeedField.bidQuantity ? state.pointee.decimals : 0
            if let value = message.scaled(field, places: places) {
                numbers[Int(field) &- FeedField.bookStart] = value
                state.pointee.known |= FeedField.bit(field)
            } else {
                unreadable &+= 1
            }
        }
        return unreadable
    }

    /// Brings the prices that are known to `decimals`, which are more than there were.
    func refine(to decimals: UInt8) {
        let old = state.pointee.decimals
        state.pointee.decimals = decimals
        for field in FeedField.bidPrice..<FeedField.bidQuantity where state.pointee.known & FeedField.bit(field) != 0 {
            let place = Int(field) - FeedField.bookStart
            if let price = DecimalText.rescale(numbers[place], from: -Int(old), to: -Int(decimals)) {
                numbers[place] = price
            } else {
                state.pointee.known &= ~FeedField.bit(field)
            }
        }
    }

    /// The best level of a side: `nil` if it is not known, withdrawn if the side is empty.
    @inline(__always)
    func top(price: UInt8) -> BookTop? {
        let quantity = price &+ 10
        guard state.pointee.known & FeedField.bit(price) != 0 else { return nil }
        if numbers[Int(price) &- FeedField.bookStart] <= 0 { return .withdrawn }
        guard state.pointee.known & FeedField.bit(quantity) != 0 else { return nil }
        let units = numbers[Int(quantity) &- FeedField.bookStart]
        return units > 0
            ? BookTop(price: numbers[Int(price) &- FeedField.bookStart], quantity: units) : .withdrawn
    }

    /// Puts the levels of a side into `buffer`. One without price or quantity is none: the broker writes zeros there.
    @inline(__always)
    func fill(_ buffer: LevelBuffer, price first: UInt8) {
        buffer.removeAll()
        let known = state.pointee.known &>> UInt64(first)
        let priced = known & known &>> 10
        let first = numbers + (Int(first) &- FeedField.bookStart)
        for level in 0..<FeedField.levels {
            let (price, quantity) = (first[level], first[level &+ 10])
            let shift = UInt64(truncatingIfNeeded: level)
            guard priced &>> shift & 1 == 1, price > 0, quantity > 0 else { continue }
            let orders = known & (1 &<< 20) &<< shift != 0 ? UInt32(clamping: first[level &+ 20]) : 0
            buffer.append(Level(price: price, quantity: quantity, orders: orders))
        }
    }
}
