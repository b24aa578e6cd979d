import CFeedhostABI

/// Which fields of a tick exist, which mode each belongs to, and how to move them.
public enum TickFields {
    static let ltp = UInt64(FH_F_LTP) | UInt64(FH_F_TRADE_TS)
    static let tradeTime = UInt64(FH_F_TRADE_TS)
    static let book = UInt64(FH_F_BIDS) | UInt64(FH_F_ASKS)
    static let all = (UInt64(1) << 24) - 1

    /// The fields that belong to a mode: a tick goes out in a mode when it carries one of them.
    public static func content(of mode: Mode) -> UInt64 {
        switch mode {
        case .ltp: ltp
        case .quote: all & ~book
        case .depth: all
        }
    }

    /// Prices, in the order of their bits; quantities below. Both lists are what rescaling has to touch.
    private static let prices: [(bit: UInt64, path: any WritableKeyPath<fh_tick, Int64> & Sendable)] = [
        (UInt64(FH_F_LTP), \.ltp), (UInt64(FH_F_AVG), \.avg_px), (UInt64(FH_F_OPEN), \.open),
        (UInt64(FH_F_HIGH), \.high), (UInt64(FH_F_LOW), \.low), (UInt64(FH_F_CLOSE), \.close),
        (UInt64(FH_F_BID), \.bid_px), (UInt64(FH_F_ASK), \.ask_px), (UInt64(FH_F_LOWER_LIMIT), \.lower_limit),
        (UInt64(FH_F_UPPER_LIMIT), \.upper_limit), (UInt64(FH_F_YEAR_HIGH), \.year_high),
        (UInt64(FH_F_YEAR_LOW), \.year_low), (UInt64(FH_F_TURNOVER), \.turnover),
    ]
    private static let quantities: [(bit: UInt64, path: any WritableKeyPath<fh_tick, Int64> & Sendable)] = [
        (UInt64(FH_F_LTQ), \.ltq), (UInt64(FH_F_VOLUME), \.volume), (UInt64(FH_F_OI), \.oi),
        (UInt64(FH_F_OI_HIGH), \.oi_high), (UInt64(FH_F_OI_LOW), \.oi_low), (UInt64(FH_F_OI_PREV), \.oi_prev),
        (UInt64(FH_F_TOTAL_BUY), \.total_buy_qty), (UInt64(FH_F_TOTAL_SELL), \.total_sell_qty),
        (UInt64(FH_F_BID), \.bid_qty), (UInt64(FH_F_ASK), \.ask_qty),
    ]

    /// Copies the values whose bit is set and marks them known; a withdrawn value (`fh_px_none`) becomes unknown.
    @inline(__always)
    static func copyValues(of fields: UInt64, from update: borrowing fh_tick, to state: inout fh_tick) {
        var rest = fields & all
        var withdrawn: UInt64 = 0
        while rest != 0 {
            let bit = rest & (~rest &+ 1)
            rest &= rest &- 1
            let value: Int64
            switch Int32(truncatingIfNeeded: bit.trailingZeroBitCount) {
            case 0: (value, state.ltp) = (update.ltp, update.ltp)
            case 1: (value, state.ltq) = (update.ltq, update.ltq)
            case 2: (value, state.avg_px) = (update.avg_px, update.avg_px)
            case 3: (value, state.open) = (update.open, update.open)
            case 4: (value, state.high) = (update.high, update.high)
            case 5: (value, state.low) = (update.low, update.low)
            case 6: (value, state.close) = (update.close, update.close)
            case 7: (value, state.volume) = (update.volume, update.volume)
            case 8: (value, state.oi) = (update.oi, update.oi)
            case 9: (value, state.oi_high) = (update.oi_high, update.oi_high)
            case 10: (value, state.oi_low) = (update.oi_low, update.oi_low)
            case 11: (value, state.oi_prev) = (update.oi_prev, update.oi_prev)
            case 12: (value, state.total_buy_qty) = (update.total_buy_qty, update.total_buy_qty)
            case 13: (value, state.total_sell_qty) = (update.total_sell_qty, update.total_sell_qty)
            case 14:
                (value, state.bid_px) = (update.bid_px, update.bid_px)
                state.bid_qty = update.bid_qty
            case 15:
                (value, state.ask_px) = (update.ask_px, update.ask_px)
                state.ask_qty = update.ask_qty
            case 16: (value, state.lower_limit) = (update.lower_limit, update.lower_limit)
            case 17: (value, state.upper_limit) = (update.upper_limit, update.upper_limit)
            case 18: (value, state.year_high) = (update.year_high, update.year_high)
            case 19: (value, state.year_low) = (update.year_low, update.year_low)
            case 20: (value, state.turnover) = (update.turnover, update.turnover)
            case 21:
                value = update.ts_last_trade == fh_ts_none() ? fh_px_none() : 0
                state.ts_last_trade = update.ts_last_trade
            default: value = 0  // The sides of the book travel beside the tick.
            }
            if value == fh_px_none() { withdrawn |= bit }
        }
        state.fields = (state.fields | (fields & all)) & ~withdrawn
    }

    /// Brings a tick to other exponents; false when a value does not fit.
    static func rescale(_ tick: inout fh_tick, price: Int8, quantity: Int8) -> Bool {
        for (list, from, to) in [(prices, tick.price_exp, price), (quantities, tick.qty_exp, quantity)] {
            for (bit, path) in list where tick.fields & bit != 0 && tick[keyPath: path] != fh_px_none() {
                guard let value = Decimals.rescale(tick[keyPath: path], from: from, to: to) else { return false }
                tick[keyPath: path] = value
            }
        }
        tick.price_exp = price
        tick.qty_exp = quantity
        return true
    }

    /// The same for one side of a book.
    static func rescale(
        _ levels: ContiguousArray<fh_level>, from tick: borrowing fh_tick, price: Int8, quantity: Int8
    ) -> ContiguousArray<fh_level>? {
        var result = levels
        for index in result.indices {
            guard let px = Decimals.rescale(result[index].px, from: tick.price_exp, to: price),
                let qty = Decimals.rescale(result[index].qty, from: tick.qty_exp, to: quantity)
            else { return nil }
            result[index].px = px
            result[index].qty = qty
        }
        return result
    }
}
