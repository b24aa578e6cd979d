import AdapterKit

/// One object of the instrument master, and the OpenAlgo instrument that it describes. Borrowed from the file.
struct ScripRecord {
    private var token = Bytes.empty
    private var symbol = Bytes.empty
    private var name = Bytes.empty
    private var expiry = Bytes.empty
    private var strike = Bytes.empty
    private var lotSize = Bytes.empty
    private var type = Bytes.empty
    private var segment = Bytes.empty
    private var tickSize = Bytes.empty

    /// Reads the next element; false if it is no object or the text breaks off.
    mutating func read(_ json: inout JSONScanner) -> Bool {
        self = ScripRecord()
        guard json.enterObject() else { return false }
        while let key = json.nextKey() {
            let value = JSONText(json.skipValue()).content
            switch key.count {
            case 4 where key == "name": name = value
            case 5 where key == "token": token = value
            case 6 where key == "symbol": symbol = value
            case 6 where key == "expiry": expiry = value
            case 6 where key == "strike": strike = value
            case 7 where key == "lotsize": lotSize = value
            case 8 where key == "exch_seg": segment = value
            case 9 where key == "tick_size": tickSize = value
            case 14 where key == "instrumenttype": type = value
            default: break
            }
        }
        return !json.isBroken
    }

    /// Nil for a record that makes no sense, or that the feed does not carry.
    var row: MasterRow? {
        guard let segment = Segment(segment), InstrumentKey.token(token) != nil, !symbol.isEmpty else { return nil }
        var row = MasterRow(
            symbol: "", exchange: segment.exchange, brokerSymbol: JSONText.unescaped(symbol),
            brokerExchange: segment.exchange, brokerToken: String(token))
        row.name = JSONText.unescaped(name)
        row.expiry = expiry.isEmpty ? nil : CalendarDay(expiry)
        row.lotSize = Self.positive(lotSize, exponent: 0)
        // Strikes are in paise, but for currencies in ten-millionths of a rupee.
        row.priceExponent = segment == .currency ? -7 : -4
        row.tickSize =
            segment == .currency
            ? Self.currencyTick(tickSize) : Self.positive(tickSize, exponent: Int(row.priceExponent) + 2)
        let isNamed = segment == .currency ? name(&row, strikeExponent: 0) : name(&row, strikeExponent: -2)
        return isNamed ? row : nil
    }

    /// OpenAlgo's symbol, exchange and type. Angel One's own symbols of currencies and commodities have no day in them,
    /// so those of all derivatives are made from their parts.
    private func name(_ row: inout MasterRow, strikeExponent: Int) -> Bool {
        if type == "AMXIDX" { return nameIndex(&row) }
        if type.slice(from: 0, to: 3) == "FUT" {
            guard let expiry = row.expiry, !row.name.isEmpty else { return false }
            row.symbol = SymbolRules.future(row.name, expiry)
            row.type = "FUT"
        } else if type.slice(from: 0, to: 3) == "OPT" {
            row.strike = Self.positive(strike, exponent: strikeExponent)
            let side = symbol.slice(from: symbol.count - 2)
            guard let expiry = row.expiry, !row.name.isEmpty, row.strike > 0, side == "CE" || side == "PE" else {
                return false
            }
            row.type = String(side)
            row.symbol = SymbolRules.option(
                row.name, expiry, strike: row.strike, exponent: row.priceExponent, row.type)
        } else {
            row.symbol = JSONText.unescaped(Self.withoutSeries(symbol))
            row.type = type.isEmpty ? "EQ" : String(type)
        }
        return true
    }

    /// In ten-millionths of a rupee; 0 for what can be no tick size of a currency.
    ///
    /// The file has been seen with both scales: paise as everywhere else (`0.250000`), and the ten-millionths of the
    /// segment's strikes and packets (`25000.000000`, which in paise would be a step of 250 rupees). Both of these are
    /// 0.0025 rupees. They cannot be confused: no contract of the segment moves in steps of more than a rupee, so paise
    /// go up to 100, and the exchange quotes four decimals, so ten-millionths begin at 1000. What lies between is
    /// neither.
    private static func currencyTick(_ text: Bytes) -> Int64 {
        let paise = positive(text, exponent: -5)
        if paise <= 100 * 100_000 { return paise }
        let own = positive(text, exponent: 0)
        return own >= 1_000 ? own : 0
    }

    private func nameIndex(_ row: inout MasterRow) -> Bool {
        guard ["NSE", "BSE", "MCX"].contains(row.exchange) else { return false }
        row.exchange += "_INDEX"
        row.symbol = AngelIndexNames.symbol(row.brokerSymbol, name: row.name, on: row.exchange)
        row.type = "INDEX"
        return true
    }

    /// `RELIANCE-EQ` → `RELIANCE`. Only at the end: `BAJAJ-AUTO-EQ` is `BAJAJ-AUTO`.
    private static func withoutSeries(_ symbol: Bytes) -> Bytes {
        let series = symbol.slice(from: symbol.count - 3)
        let isSeries = series == "-EQ" || series == "-BE" || series == "-MF" || series == "-SG"
        return isSeries && symbol.count > 3 ? symbol.slice(from: 0, to: symbol.count - 3) : symbol
    }

    /// 0 for what is missing, negative or no number: `-1.000000` is how the file says "none".
    private static func positive(_ text: Bytes, exponent: Int) -> Int64 {
        max(0, DecimalText.mantissa(of: text, exponent: exponent) ?? 0)
    }
}

extension ScripRecord {
    /// Why there is no ``row``.
    var reason: SkipReason {
        guard InstrumentKey.token(token) != nil else { return .token }
        guard !symbol.isEmpty else { return .symbol }
        guard let segment = Segment(segment) else { return .exchange }
        if type == "AMXIDX" { return .unnamed }
        guard !name.isEmpty else { return .underlying }
        guard CalendarDay(expiry) != nil else { return .expiry }
        guard Self.positive(strike, exponent: segment == .currency ? 0 : -2) > 0 else { return .strike }
        return .kind
    }
}
