import AdapterKit

/// Kite's instrument master: a CSV of all exchanges, made anew every morning (Kite Connect docs, "Market quotes and
/// instruments").
enum InstrumentFile {
    /// The file, for the adapter's registration.
    static let master = MasterFile("instruments.csv") { query throws(AdapterError) in
        let login = try Login(
            apiKey: query.credentials["api_key"] ?? "", accessToken: query.credential("access_token"))
        let address = query.setting("master_endpoint")
        return MasterRequest(address, headers: [Login.versionHeader, login.authorization])
    } parse: { bytes, rows throws(AdapterError) in
        try read(bytes, into: &rows)
    }

    /// Where each column is; found by name.
    private struct Columns {
        let token: Int
        let symbol: Int
        let name: Int
        let expiry: Int
        let strike: Int
        let tick: Int
        let lot: Int
        let type: Int
        let segment: Int
        let exchange: Int

        init(_ lines: DelimitedText) throws(AdapterError) {
            token = try lines.required("instrument_token")
            symbol = try lines.required("tradingsymbol")
            name = try lines.required("name")
            expiry = try lines.required("expiry")
            strike = try lines.required("strike")
            tick = try lines.required("tick_size")
            lot = try lines.required("lot_size")
            type = try lines.required("instrument_type")
            segment = try lines.required("segment")
            exchange = try lines.required("exchange")
        }
    }

    private static func read(_ bytes: Bytes, into rows: inout MasterRows) throws(AdapterError) {
        var lines = DelimitedText(bytes)
        let columns = try Columns(lines)
        while lines.next(&rows) {
            switch row(lines, columns) {
            case .success(let row): try rows.append(row)
            case .failure(let reason): rows.skip(reason, at: lines)
            }
        }
    }

    private static func row(_ lines: DelimitedText, _ columns: Columns) -> Result<MasterRow, SkipReason> {
        let token = lines[columns.token]
        guard let number = DecimalText.mantissa(of: token, exponent: 0), UInt32(exactly: number) ?? 0 != 0 else {
            return .failure(.token)
        }
        guard !lines[columns.symbol].isEmpty else { return .failure(.symbol) }
        guard let exchange = exchange(lines[columns.exchange], lines[columns.segment]) else {
            return .failure(.exchange)
        }
        let brokerSymbol = String(lines[columns.symbol])
        var row = MasterRow(
            symbol: brokerSymbol, exchange: exchange.name, brokerSymbol: brokerSymbol,
            brokerExchange: String(lines[columns.exchange]), brokerToken: String(number))
        row.name = String(lines[columns.name])
        guard let lot = DecimalText.mantissa(of: lines[columns.lot], exponent: 0), lot >= 0 else {
            return .failure(.size)
        }
        guard fill(&row, strike: lines[columns.strike], tick: lines[columns.tick]) else {
            return .failure(DecimalText.mantissa(of: lines[columns.strike], exponent: -8) == nil ? .strike : .size)
        }
        row.lotSize = lot

        let type = lines[columns.type]
        if exchange.isIndex {
            row.type = "INDEX"
            row.symbol = ZerodhaIndexNames.symbol(brokerSymbol, on: exchange.name)
        } else if type == "FUT" || type == "CE" || type == "PE" {
            // Without a name or a day there is no OpenAlgo symbol.
            guard !row.name.isEmpty else { return .failure(.underlying) }
            guard let expiry = CalendarDay(lines[columns.expiry]) else { return .failure(.expiry) }
            row.type = String(type)
            row.expiry = expiry
            row.symbol =
                type == "FUT"
                ? SymbolRules.future(row.name, expiry)
                : SymbolRules.option(row.name, expiry, strike: row.strike, exponent: row.priceExponent, row.type)
        } else {
            row.type = String(type)
        }
        return .success(row)
    }

    /// OpenAlgo's exchange. Kite files indices under the exchange that they belong to, in a segment of their own.
    private static func exchange(_ exchange: Bytes, _ segment: Bytes) -> (name: String, isIndex: Bool)? {
        if exchange == "GLOBAL" || exchange == "NSEIX" { return ("GLOBAL_INDEX", true) }
        guard segment == "INDICES" else {
            return tradable.first { exchange == $0.name }.map { ($0.text, false) }
        }
        if exchange == "NSE" { return ("NSE_INDEX", true) }
        if exchange == "BSE" { return ("BSE_INDEX", true) }
        if exchange == "MCX" { return ("MCX_INDEX", true) }
        return nil
    }

    /// The most frequent first. Others have no OpenAlgo exchange.
    private static let tradable: [(name: StaticString, text: String)] = [
        ("NFO", "NFO"), ("BFO", "BFO"), ("BSE", "BSE"), ("NSE", "NSE"), ("MCX", "MCX"), ("CDS", "CDS"),
        ("BCD", "BCD"), ("NCO", "NCO"),
    ]

    /// Sets strike and tick size at the coarsest exponent that holds both exactly.
    private static func fill(_ row: inout MasterRow, strike: Bytes, tick: Bytes) -> Bool {
        for exponent in [-2, -4, -8] {
            let strike = strike.isEmpty ? 0 : DecimalText.mantissa(of: strike, exponent: exponent)
            let tick = tick.isEmpty ? 0 : DecimalText.mantissa(of: tick, exponent: exponent)
            guard let strike, let tick, strike >= 0, tick >= 0 else { continue }
            row.priceExponent = Int8(exponent)
            row.strike = strike
            row.tickSize = tick
            return true
        }
        return false
    }
}
