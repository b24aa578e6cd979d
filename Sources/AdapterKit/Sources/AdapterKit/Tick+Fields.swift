import CFeedhostABI

// One property for each value of the C record. `nil` is "not in this update", never 0.
extension Tick {
    /// The last traded price.
    @inlinable
    public var lastPrice: Int64? {
        get { Self.read(record.ltp, record.fields, FH_F_LTP) }
        set { Self.write(newValue, &record.ltp, &record.fields, FH_F_LTP) }
    }

    /// The last traded quantity.
    @inlinable
    public var lastQuantity: Int64? {
        get { Self.read(record.ltq, record.fields, FH_F_LTQ) }
        set { Self.write(newValue, &record.ltq, &record.fields, FH_F_LTQ) }
    }

    /// The volume-weighted average price of the day.
    @inlinable
    public var averagePrice: Int64? {
        get { Self.read(record.avg_px, record.fields, FH_F_AVG) }
        set { Self.write(newValue, &record.avg_px, &record.fields, FH_F_AVG) }
    }

    /// The first price of the day.
    @inlinable
    public var open: Int64? {
        get { Self.read(record.open, record.fields, FH_F_OPEN) }
        set { Self.write(newValue, &record.open, &record.fields, FH_F_OPEN) }
    }

    /// The highest price of the day.
    @inlinable
    public var high: Int64? {
        get { Self.read(record.high, record.fields, FH_F_HIGH) }
        set { Self.write(newValue, &record.high, &record.fields, FH_F_HIGH) }
    }

    /// The lowest price of the day.
    @inlinable
    public var low: Int64? {
        get { Self.read(record.low, record.fields, FH_F_LOW) }
        set { Self.write(newValue, &record.low, &record.fields, FH_F_LOW) }
    }

    /// The previous close.
    @inlinable
    public var previousClose: Int64? {
        get { Self.read(record.close, record.fields, FH_F_CLOSE) }
        set { Self.write(newValue, &record.close, &record.fields, FH_F_CLOSE) }
    }

    /// The quantity traded today.
    @inlinable
    public var volume: Int64? {
        get { Self.read(record.volume, record.fields, FH_F_VOLUME) }
        set { Self.write(newValue, &record.volume, &record.fields, FH_F_VOLUME) }
    }

    /// The open interest.
    @inlinable
    public var openInterest: Int64? {
        get { Self.read(record.oi, record.fields, FH_F_OI) }
        set { Self.write(newValue, &record.oi, &record.fields, FH_F_OI) }
    }

    /// The highest open interest of the day.
    @inlinable
    public var openInterestHigh: Int64? {
        get { Self.read(record.oi_high, record.fields, FH_F_OI_HIGH) }
        set { Self.write(newValue, &record.oi_high, &record.fields, FH_F_OI_HIGH) }
    }

    /// The lowest open interest of the day.
    @inlinable
    public var openInterestLow: Int64? {
        get { Self.read(record.oi_low, record.fields, FH_F_OI_LOW) }
        set { Self.write(newValue, &record.oi_low, &record.fields, FH_F_OI_LOW) }
    }

    /// The open interest at the previous close.
    @inlinable
    public var previousOpenInterest: Int64? {
        get { Self.read(record.oi_prev, record.fields, FH_F_OI_PREV) }
        set { Self.write(newValue, &record.oi_prev, &record.fields, FH_F_OI_PREV) }
    }

    /// The quantity of all buy orders.
    @inlinable
    public var totalBuyQuantity: Int64? {
        get { Self.read(record.total_buy_qty, record.fields, FH_F_TOTAL_BUY) }
        set { Self.write(newValue, &record.total_buy_qty, &record.fields, FH_F_TOTAL_BUY) }
    }

    /// The quantity of all sell orders.
    @inlinable
    public var totalSellQuantity: Int64? {
        get { Self.read(record.total_sell_qty, record.fields, FH_F_TOTAL_SELL) }
        set { Self.write(newValue, &record.total_sell_qty, &record.fields, FH_F_TOTAL_SELL) }
    }

    /// The lower circuit.
    @inlinable
    public var lowerLimit: Int64? {
        get { Self.read(record.lower_limit, record.fields, FH_F_LOWER_LIMIT) }
        set { Self.write(newValue, &record.lower_limit, &record.fields, FH_F_LOWER_LIMIT) }
    }

    /// The upper circuit.
    @inlinable
    public var upperLimit: Int64? {
        get { Self.read(record.upper_limit, record.fields, FH_F_UPPER_LIMIT) }
        set { Self.write(newValue, &record.upper_limit, &record.fields, FH_F_UPPER_LIMIT) }
    }

    /// The highest price of 52 weeks.
    @inlinable
    public var yearHigh: Int64? {
        get { Self.read(record.year_high, record.fields, FH_F_YEAR_HIGH) }
        set { Self.write(newValue, &record.year_high, &record.fields, FH_F_YEAR_HIGH) }
    }

    /// The lowest price of 52 weeks.
    @inlinable
    public var yearLow: Int64? {
        get { Self.read(record.year_low, record.fields, FH_F_YEAR_LOW) }
        set { Self.write(newValue, &record.year_low, &record.fields, FH_F_YEAR_LOW) }
    }

    /// The traded value of the day, a mantissa at ``priceExponent``.
    @inlinable
    public var turnover: Int64? {
        get { Self.read(record.turnover, record.fields, FH_F_TURNOVER) }
        set { Self.write(newValue, &record.turnover, &record.fields, FH_F_TURNOVER) }
    }

    /// The best bid.
    @inlinable
    public var bid: BookTop? {
        get {
            record.fields & UInt64(FH_F_BID) != 0 ? BookTop(price: record.bid_px, quantity: record.bid_qty) : nil
        }
        set {
            Self.write(newValue?.price, &record.bid_px, &record.fields, FH_F_BID)
            Self.write(newValue?.quantity, &record.bid_qty, &record.fields, FH_F_BID)
        }
    }

    /// The best ask.
    @inlinable
    public var ask: BookTop? {
        get {
            record.fields & UInt64(FH_F_ASK) != 0 ? BookTop(price: record.ask_px, quantity: record.ask_qty) : nil
        }
        set {
            Self.write(newValue?.price, &record.ask_px, &record.fields, FH_F_ASK)
            Self.write(newValue?.quantity, &record.ask_qty, &record.fields, FH_F_ASK)
        }
    }

    /// The time of the last trade: nanoseconds since the Unix epoch, UTC.
    @inlinable
    public var lastTradeTime: UInt64? {
        get { record.fields & UInt64(FH_F_TRADE_TS) != 0 ? record.ts_last_trade : nil }
        set {
            if let newValue {
                record.ts_last_trade = newValue
                record.fields |= UInt64(FH_F_TRADE_TS)
            } else {
                record.fields &= ~UInt64(FH_F_TRADE_TS)
            }
        }
    }
}
