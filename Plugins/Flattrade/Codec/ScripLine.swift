import AdapterKit

/// One line of an instrument master, and OpenAlgo's names for it.
struct ScripLine {
    private let exchange, token, symbol, tradingSymbol, instrument, optionType: String
    private let expiry: CalendarDay?
    private let strikeText, tickText, lotText: Bytes

    /// Reads the current line; `nil` if it is too short to be a scrip, or its token is none.
    init?(_ lines: DelimitedText, _ columns: ScripMaster.Columns) {
        let tokenText = lines[columns.token]
        guard ScripKey.token(tokenText) != nil, !lines[columns.tradingSymbol].isEmpty else { return nil }
        token = String(tokenText)
        exchange = String(lines[columns.exchange])
        symbol = String(lines[columns.symbol])
        tradingSymbol = String(lines[columns.tradingSymbol])
        instrument = String(lines[columns.instrument])
        optionType = String(lines[columns.optionType])
        expiry = lines[columns.expiry].isEmpty ? nil : CalendarDay(lines[columns.expiry])
        strikeText = lines[columns.strike]
        tickText = lines[columns.tickSize]
        lotText = lines[columns.lotSize]
    }

    /// The instrument; `nil` for what OpenAlgo has no name for, such as the spot of a currency.
    var row: MasterRow? {
        switch exchange {
        case "NSE", "BSE": cash
        case "NFO", "BFO", "CDS", "MCX": derivative
        default: nil
        }
    }

    // MARK: - Cash and indices

    private var cash: MasterRow? {
        if instrument == "INDEX" || instrument == "UNDIND" {
            let exchange = "\(exchange)_INDEX"
            return make(NorenIndexNames.symbol(tradingSymbol, on: exchange), exchange, type: "INDEX")
        }
        guard exchange == "NSE" else { return make(tradingSymbol, exchange, type: "EQ") }
        // Shares of the series EQ and BE go by their bare name; all other series keep theirs.
        let isBare = tradingSymbol.hasSuffix("-EQ") || tradingSymbol.hasSuffix("-BE")
        let name = isBare ? String(tradingSymbol.dropLast(3)) : tradingSymbol
        let type = instrument.isEmpty || instrument == "BE" ? "EQ" : instrument
        return make(name, exchange, type: type)
    }

    // MARK: - Derivatives

    private var derivative: MasterRow? {
        guard let expiry, let kind else { return nil }
        let underlying = underlying(expiry, kind)
        guard !underlying.isEmpty else { return nil }
        var row: MasterRow?
        switch kind {
        case "FUT":
            row = make(SymbolRules.future(underlying, expiry), exchange, type: "FUT")
        default:
            guard let (strike, exponent) = strike else { return nil }
            let name = SymbolRules.option(underlying, expiry, strike: strike, exponent: exponent, kind)
            row = make(name, exchange, type: kind)
            row?.strike = strike
        }
        row?.name = underlying
        row?.expiry = expiry
        return row
    }

    /// `FUT`, `CE` or `PE`.
    private var kind: String? {
        switch optionType {
        case "CE", "PE": return optionType
        case "XX": return "FUT"
        default: break
        }
        if instrument.hasPrefix("FUT") { return "FUT" }
        guard instrument.hasPrefix("OPT") || optionType.isEmpty else { return nil }
        for suffix in ["CE", "PE"] where tradingSymbol.hasSuffix(suffix) { return suffix }
        return tradingSymbol.hasSuffix("FUT") ? "FUT" : nil
    }

    /// The column has it, except on BFO, where it may have the exchange's name of the contract instead.
    private func underlying(_ expiry: CalendarDay, _ kind: String) -> String {
        if let known = Self.contracts[symbol] { return known }
        guard exchange == "BFO" else { return symbol }
        let contract = ContractName(tradingSymbol, expiry: expiry, kind: kind, strike: strikeText)
        if let underlying = contract.underlying { return underlying }
        let rest = tradingSymbol.hasPrefix(symbol) ? tradingSymbol.dropFirst(symbol.count) : ""
        return rest.first?.isNumber == true ? symbol : String(tradingSymbol.prefix { !$0.isNumber })
    }

    private static let contracts = [
        "BSXOPT": "SENSEX", "BSXFUT": "SENSEX", "BKXOPT": "BANKEX", "BKXFUT": "BANKEX", "SX50OPT": "SENSEX50",
        "SX50FUT": "SENSEX50",
    ]

    // MARK: - Numbers

    private var strike: (Int64, Int8)? {
        let exponent = priceExponent
        guard let strike = DecimalText.mantissa(of: strikeText, exponent: Int(exponent)), strike > 0 else { return nil }
        return (strike, exponent)
    }

    /// Four decimals where the exchange quotes them, or where two are not enough.
    private var priceExponent: Int8 {
        let fits = [strikeText, tickText].allSatisfy { text in
            DecimalText.mantissa(of: text, exponent: -4) == nil || DecimalText.mantissa(of: text, exponent: -2) != nil
        }
        return exchange == "CDS" || !fits ? -4 : -2
    }

    private func make(_ name: String, _ exchange: String, type: String) -> MasterRow {
        var row = MasterRow(
            symbol: name, exchange: exchange, brokerSymbol: tradingSymbol, brokerExchange: self.exchange,
            brokerToken: token)
        row.name = symbol
        row.type = type
        row.priceExponent = priceExponent
        row.tickSize = max(0, DecimalText.mantissa(of: tickText, exponent: Int(row.priceExponent)) ?? 0)
        row.lotSize = max(0, DecimalText.mantissa(of: lotText, exponent: 0) ?? 0)
        return row
    }
}

extension ScripLine {
    /// Why the current line of `lines` is none.
    static func reason(_ lines: DelimitedText, _ columns: ScripMaster.Columns) -> SkipReason {
        ScripKey.token(lines[columns.token]) == nil ? .token : .symbol
    }

    /// Why there is no ``row``.
    var reason: SkipReason {
        guard ["NFO", "BFO", "CDS", "MCX"].contains(exchange) else { return .exchange }
        // What is traded for delivery, and what contracts are about, is listed between them.
        if instrument.hasPrefix("UND") || instrument == "COM" { return .unnamed }
        guard let expiry else { return .expiry }
        guard let kind else { return .kind }
        return underlying(expiry, kind).isEmpty ? .underlying : .strike
    }
}
