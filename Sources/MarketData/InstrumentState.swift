import CFeedhostABI

/// The last value of everything known about one instrument: where deltas are merged.
///
/// Not thread-safe; the publisher's thread owns every state.
public struct InstrumentState {
    /// Merged values; `fields` says which are known.
    public private(set) var tick = fh_tick()
    /// Best first. Empty until a book has arrived.
    public private(set) var bids: ContiguousArray<fh_level> = []
    public private(set) var asks: ContiguousArray<fh_level> = []
    /// True as soon as a book has arrived, and until a snapshot of Depth has none: meanwhile the best bid and ask do not
    /// stand in for it.
    public private(set) var hasBook = false
    /// True as soon as the broker has sent this instrument in Depth, with a book or without.
    public private(set) var hasDepth = false
    /// When the last update in Depth was received. ns since the Unix epoch.
    private var depthAt: UInt64 = 0
    /// Books that were received before are not taken any more. ns since the Unix epoch.
    private var booksFrom: UInt64 = 0
    private var isEmpty = true

    public init() {}

    /// Merges an update.
    ///
    /// - Returns: The bits that the update carried (`FH_F_*`), withdrawn ones included; nil when its numbers cannot be
    ///   brought to the scale of what is known, in which case nothing has changed.
    public mutating func merge(
        _ update: fh_tick, bids newBids: UnsafeBufferPointer<fh_level> = .init(start: nil, count: 0),
        asks newAsks: UnsafeBufferPointer<fh_level> = .init(start: nil, count: 0)
    ) -> UInt64? {
        if update.ts_recv < booksFrom, isLateBook(update) { return mergeWithoutBook(update) }
        if isEmpty {
            tick.price_exp = update.price_exp
            tick.qty_exp = update.qty_exp
            isEmpty = false
        } else if tick.price_exp != update.price_exp || tick.qty_exp != update.qty_exp {
            return mergeRescaled(update, bids: newBids, asks: newAsks)
        }
        if update.flags & UInt16(FH_TF_SNAPSHOT) != 0 { forget(allBut: update) }
        tick.instrument = update.instrument
        tick.kind = update.kind
        tick.flags = update.flags
        if update.ts_exchange != fh_ts_none() {
            tick.ts_exchange = update.ts_exchange
        } else if update.fields & UInt64(FH_F_LTP) != 0 {
            // The time that is known is that of an older price.
            tick.ts_exchange = 0
        }
        if update.kind >= UInt16(FH_MODE_DEPTH) || update.fields & TickFields.book != 0 {
            hasDepth = true
            depthAt = update.ts_recv
        }
        tick.ts_recv = update.ts_recv
        tick.sequence = update.sequence
        TickFields.copyValues(of: update.fields, from: update, to: &tick)
        if update.fields & UInt64(FH_F_BIDS) != 0 {
            replace(&bids, with: newBids)
            hasBook = true
        }
        if update.fields & UInt64(FH_F_ASKS) != 0 {
            replace(&asks, with: newAsks)
            hasBook = true
        }
        return update.fields
    }

    /// Nothing waits in a ring for so long: what is older is of a clock that was set back. ns.
    private static let longestWait: UInt64 = 5_000_000_000

    private func isLateBook(_ update: borrowing fh_tick) -> Bool {
        guard booksFrom &- update.ts_recv < Self.longestWait else { return false }
        if update.kind >= UInt16(FH_MODE_DEPTH) { return true }
        return update.fields & TickFields.book != 0
    }

    /// The rare case: an update with a book of an earlier time, which has waited while the book was forgotten.
    private mutating func mergeWithoutBook(_ update: fh_tick) -> UInt64? {
        var rest = update
        rest.fields &= ~TickFields.book
        rest.kind = UInt16(FH_MODE_QUOTE)
        return merge(rest)
    }

    /// What is not in a snapshot is no longer known, its time included. The book is part of snapshots of Depth alone: some
    /// brokers send it in packets of its own, beside those of Quote.
    private mutating func forget(allBut update: borrowing fh_tick) {
        tick.ts_exchange = 0
        guard update.kind >= UInt16(FH_MODE_DEPTH) else {
            tick.fields &= update.fields | TickFields.book
            return
        }
        tick.fields &= update.fields
        if update.fields & UInt64(FH_F_BIDS) == 0 { bids.removeAll(keepingCapacity: true) }
        if update.fields & UInt64(FH_F_ASKS) == 0 { asks.removeAll(keepingCapacity: true) }
        hasBook = update.fields & TickFields.book != 0
    }

    /// The book is of an earlier time: the broker is asked for it again only now.
    /// - Parameter time: What was received from then on stays. ns since the Unix epoch.
    public mutating func forgetBook(before time: UInt64) {
        booksFrom = max(booksFrom, time)
        guard depthAt < time else { return }
        tick.fields &= ~TickFields.book
        bids.removeAll(keepingCapacity: true)
        asks.removeAll(keepingCapacity: true)
        hasBook = false
        hasDepth = false
    }

    private func replace(_ side: inout ContiguousArray<fh_level>, with levels: UnsafeBufferPointer<fh_level>) {
        side.removeAll(keepingCapacity: true)
        side.append(contentsOf: levels)
    }

    /// The rare case: the adapter has changed the exponent. What is known moves to the finer of the two scales.
    private mutating func mergeRescaled(
        _ update: fh_tick, bids newBids: UnsafeBufferPointer<fh_level>,
        asks newAsks: UnsafeBufferPointer<fh_level>
    ) -> UInt64? {
        let price = min(tick.price_exp, update.price_exp)
        let quantity = min(tick.qty_exp, update.qty_exp)
        var known = tick
        var incoming = update
        guard TickFields.rescale(&known, price: price, quantity: quantity),
            TickFields.rescale(&incoming, price: price, quantity: quantity),
            let oldBids = TickFields.rescale(bids, from: tick, price: price, quantity: quantity),
            let oldAsks = TickFields.rescale(asks, from: tick, price: price, quantity: quantity),
            let bids = TickFields.rescale(ContiguousArray(newBids), from: update, price: price, quantity: quantity),
            let asks = TickFields.rescale(ContiguousArray(newAsks), from: update, price: price, quantity: quantity)
        else { return nil }
        tick = known
        self.bids = oldBids
        self.asks = oldAsks
        return bids.withUnsafeBufferPointer { bids in
            asks.withUnsafeBufferPointer { asks in merge(incoming, bids: bids, asks: asks) }
        }
    }
}

extension InstrumentState {
    /// True when there is enough to say in that mode: a last price for LTP (clients drop such a message without one),
    /// anything at all for Quote, and for Depth what the broker has sent in that mode. What is known from lower modes when
    /// Depth is asked for has no book, and would look like one that is empty.
    /// - Parameter bookless: An index, which has no book in any mode.
    public func isPublishable(_ mode: Mode, bookless: Bool = false) -> Bool {
        let known = tick.fields
        return switch mode {
        case .ltp: known & TickFields.ltp & ~TickFields.tradeTime != 0
        case .quote: known & TickFields.content(of: .quote) != 0
        case .depth: known & TickFields.all != 0 && (hasDepth || bookless)
        }
    }
}
