import CFeedhostABI

/// Turns the state of an instrument into the `data` object of one mode, with the field names and aliases that the
/// OpenAlgo clients read (client-protocol.md section 4). Each field has one meaning, whatever the broker calls it:
///
/// - `ltp`, `open`, `high`, `low`: prices of today; `close`: previous close
/// - `timestamp`: when it was received here; `exchange_timestamp`: the exchange's clock; `ltt`: last trade (all ms, UTC)
/// - `change`, `change_percent`: against the previous close
/// - `seq`: counts the messages of this topic, so that a gap is visible
///
/// What is not known is left out.
public struct TickEncoder {
    /// `{"symbol":…,"exchange":…,"mode":n` of one topic, made once.
    private let head: [UInt8]
    private let mode: Mode
    private let depth: Int
    /// An index has no book: its sides are there, as the official client drops a Depth message without them, and hold no
    /// level.
    private let isBookless: Bool

    /// - Parameter symbol: As the client wrote it, if that differs (`RELIANCE:20`).
    public init(instrument: Instrument, mode: Mode, depth: UInt16 = 5, symbol: String? = nil) {
        var writer = JSONWriter(capacity: 128)
        writer.raw("{\"symbol\":")
        writer.string(symbol ?? instrument.symbol)
        writer.raw(",\"exchange\":")
        writer.string(instrument.exchange)
        writer.raw(",\"mode\":")
        writer.unsigned(UInt64(mode.rawValue))
        head = writer.withBytes { [UInt8]($0) }
        self.mode = mode
        self.depth = Int(depth)
        isBookless = instrument.isBookless
    }

    /// Replaces what the writer holds with the message.
    public func encode(_ state: borrowing InstrumentState, seq: UInt64, into out: inout JSONWriter) {
        out.removeAll()
        out.raw(head)
        let known = state.tick.fields
        writeTrade(state.tick, known, &out)
        if mode >= .quote { writeQuote(state.tick, known, &out) }
        if mode == .depth {
            if state.hasBook || known & UInt64(FH_F_BID | FH_F_ASK) != 0 {
                writeDepth(state, known, &out)
            } else if isBookless {
                out.raw(",\"depth\":{\"buy\":[],\"sell\":[]},\"bids\":[],\"asks\":[]")
            }
            // Else the book is not known, and left out: zeros would look like an empty market.
        }
        out.raw(",\"timestamp\":")
        out.unsigned(state.tick.ts_recv / 1_000_000)
        if state.tick.ts_exchange != 0 {
            out.raw(",\"exchange_timestamp\":")
            out.unsigned(state.tick.ts_exchange / 1_000_000)
        }
        out.raw(",\"seq\":")
        out.unsigned(seq)
        out.byte(UInt8(ascii: "}"))
    }

    private func writeTrade(_ tick: borrowing fh_tick, _ known: UInt64, _ out: inout JSONWriter) {
        if known & UInt64(FH_F_LTP) != 0 { price(",\"ltp\":", tick.ltp, tick, &out) }
        if known & UInt64(FH_F_TRADE_TS) != 0 {
            out.raw(",\"ltt\":")
            out.unsigned(tick.ts_last_trade / 1_000_000)
        }
    }

    private func writeQuote(_ tick: borrowing fh_tick, _ known: UInt64, _ out: inout JSONWriter) {
        if known & UInt64(FH_F_OPEN) != 0 { price(",\"open\":", tick.open, tick, &out) }
        if known & UInt64(FH_F_HIGH) != 0 { price(",\"high\":", tick.high, tick, &out) }
        if known & UInt64(FH_F_LOW) != 0 { price(",\"low\":", tick.low, tick, &out) }
        if known & UInt64(FH_F_CLOSE) != 0 {
            price(",\"close\":", tick.close, tick, &out)
            if known & UInt64(FH_F_LTP) != 0 { writeChange(tick, &out) }
        }
        if known & UInt64(FH_F_VOLUME) != 0 { quantity(",\"volume\":", tick.volume, tick, &out) }
        if known & UInt64(FH_F_LTQ) != 0 {
            quantity(",\"last_quantity\":", tick.ltq, tick, &out)
            quantity(",\"last_trade_quantity\":", tick.ltq, tick, &out)
        }
        if known & UInt64(FH_F_AVG) != 0 {
            price(",\"average_price\":", tick.avg_px, tick, &out)
            price(",\"avg_trade_price\":", tick.avg_px, tick, &out)
        }
        if known & UInt64(FH_F_TURNOVER) != 0 { price(",\"turnover\":", tick.turnover, tick, &out) }
        if known & UInt64(FH_F_BID) != 0 {
            price(",\"bid_price\":", tick.bid_px, tick, &out)
            quantity(",\"bid_size\":", tick.bid_qty, tick, &out)
        }
        if known & UInt64(FH_F_ASK) != 0 {
            price(",\"ask_price\":", tick.ask_px, tick, &out)
            quantity(",\"ask_size\":", tick.ask_qty, tick, &out)
        }
        if known & UInt64(FH_F_TOTAL_BUY) != 0 { quantity(",\"total_buy_quantity\":", tick.total_buy_qty, tick, &out) }
        if known & UInt64(FH_F_TOTAL_SELL) != 0 {
            quantity(",\"total_sell_quantity\":", tick.total_sell_qty, tick, &out)
        }
        writeInterestAndLimits(tick, known, &out)
    }

    private func writeInterestAndLimits(_ tick: borrowing fh_tick, _ known: UInt64, _ out: inout JSONWriter) {
        if known & UInt64(FH_F_OI) != 0 {
            quantity(",\"oi\":", tick.oi, tick, &out)
            quantity(",\"open_interest\":", tick.oi, tick, &out)
        }
        if known & UInt64(FH_F_OI_HIGH) != 0 { quantity(",\"oi_high\":", tick.oi_high, tick, &out) }
        if known & UInt64(FH_F_OI_LOW) != 0 { quantity(",\"oi_low\":", tick.oi_low, tick, &out) }
        if known & UInt64(FH_F_OI_PREV) != 0 { quantity(",\"oi_previous\":", tick.oi_prev, tick, &out) }
        if known & UInt64(FH_F_LOWER_LIMIT) != 0 { price(",\"lower_circuit\":", tick.lower_limit, tick, &out) }
        if known & UInt64(FH_F_UPPER_LIMIT) != 0 { price(",\"upper_circuit\":", tick.upper_limit, tick, &out) }
        if known & UInt64(FH_F_YEAR_HIGH) != 0 { price(",\"52_week_high\":", tick.year_high, tick, &out) }
        if known & UInt64(FH_F_YEAR_LOW) != 0 { price(",\"52_week_low\":", tick.year_low, tick, &out) }
    }

    /// `change` is exact; `change_percent` is rounded to two decimals, half away from zero.
    private func writeChange(_ tick: borrowing fh_tick, _ out: inout JSONWriter) {
        let (change, overflow) = tick.ltp.subtractingReportingOverflow(tick.close)
        guard !overflow else { return }
        price(",\"change\":", change, tick, &out)
        guard tick.close != 0 else { return }
        let percent = (Double(change) * 10_000 / Double(tick.close)).rounded(.toNearestOrAwayFromZero)
        guard percent.magnitude < 1e15 else { return }
        out.raw(",\"change_percent\":")
        out.decimal(Int64(percent), exponent: -2)
    }

    /// Both spellings of the book: `depth.buy/sell` and `bids/asks`.
    private func writeDepth(_ state: borrowing InstrumentState, _ known: UInt64, _ out: inout JSONWriter) {
        out.raw(",\"depth_level\":")
        out.unsigned(UInt64(depth))
        out.raw(",\"depth\":{\"buy\":")
        let buy = out.position
        writeSide(state, buy: true, known, &out)
        let buyEnd = out.position
        out.raw(",\"sell\":")
        let sell = out.position
        writeSide(state, buy: false, known, &out)
        let sellEnd = out.position
        // The second spelling is a copy: half of a book's time is its numbers.
        out.raw("},\"bids\":")
        out.again(buy..<buyEnd)
        out.raw(",\"asks\":")
        out.again(sell..<sellEnd)
    }

    /// One side, padded with zeros to the granted level. Until a book arrives, the best bid and ask are level 1.
    private func writeSide(
        _ state: borrowing InstrumentState, buy: Bool, _ known: UInt64, _ out: inout JSONWriter
    ) {
        let tick = state.tick
        out.byte(UInt8(ascii: "["))
        for index in 0..<depth {
            if index > 0 { out.byte(UInt8(ascii: ",")) }
            if state.hasBook {
                let count = buy ? state.bids.count : state.asks.count
                writeLevel(index < count ? (buy ? state.bids[index] : state.asks[index]) : fh_level(), tick, &out)
            } else if index == 0, known & UInt64(buy ? FH_F_BID : FH_F_ASK) != 0 {
                let best =
                    buy
                    ? fh_level(px: tick.bid_px, qty: tick.bid_qty, orders: 0, reserved: 0)
                    : fh_level(px: tick.ask_px, qty: tick.ask_qty, orders: 0, reserved: 0)
                writeLevel(best, tick, &out)
            } else {
                writeLevel(fh_level(), tick, &out)
            }
        }
        out.byte(UInt8(ascii: "]"))
    }

    private func writeLevel(_ level: fh_level, _ tick: borrowing fh_tick, _ out: inout JSONWriter) {
        price("{\"price\":", level.px, tick, &out)
        quantity(",\"quantity\":", level.qty, tick, &out)
        out.raw(",\"orders\":")
        out.unsigned(UInt64(level.orders))
        out.byte(UInt8(ascii: "}"))
    }

    @inline(__always)
    private func price(_ name: StaticString, _ value: Int64, _ tick: borrowing fh_tick, _ out: inout JSONWriter) {
        out.raw(name)
        out.decimal(value, exponent: tick.price_exp)
    }

    /// Integers, unless the instrument is fractional.
    @inline(__always)
    private func quantity(_ name: StaticString, _ value: Int64, _ tick: borrowing fh_tick, _ out: inout JSONWriter) {
        out.raw(name)
        out.decimal(value, exponent: tick.qty_exp, whole: tick.qty_exp >= 0)
    }
}
