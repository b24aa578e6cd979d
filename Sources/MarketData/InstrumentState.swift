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
    /// True as soon as a book has arrived: from then on the best bid and ask no longer stand in for it.
    public private(set) var hasBook = false
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
        if isEmpty {
            tick.price_exp = update.price_exp
            tick.qty_exp = update.qty_exp
            isEmpty = false
        } else if tick.price_exp != update.price_exp || tick.qty_exp != update.qty_exp {
            return mergeRescaled(update, bids: newBids, asks: newAsks)
        }
        if update.flags & UInt16(FH_TF_SNAPSHOT) != 0 { forget(allBut: update.fields) }
        tick.instrument = update.instrument
        tick.kind = update.kind
        tick.flags = update.flags
        if update.ts_exchange != fh_ts_none() { tick.ts_exchange = update.ts_exchange }
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

    /// What is not in a snapshot is no longer known. The book stays unless the snapshot brings one, because brokers
    /// send it in packets of its own.
    private mutating func forget(allBut fields: UInt64) {
        tick.fields &= fields | UInt64(FH_F_BIDS) | UInt64(FH_F_ASKS)
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
    /// anything at all for the others.
    public func isPublishable(_ mode: Mode) -> Bool {
        let known = tick.fields
        return switch mode {
        case .ltp: known & TickFields.ltp & ~TickFields.tradeTime != 0
        case .quote: known & TickFields.content(of: .quote) != 0
        case .depth: known & TickFields.all != 0
        }
    }
}
