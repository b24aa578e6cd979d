import AdapterKit

/// The family's instrument masters: comma-separated text with the columns named in the first line. Flattrade has its
/// own files; the other brokers share a form that differs in names of columns and has the tick size.
enum ScripMaster {
    static let flattradeFiles = [
        file("NSE_Equity.csv", of: "NSE"), file("BSE_Equity.csv", of: "BSE"),
        file("Nfo_Equity_Derivatives.csv", of: "NFO"), file("Nfo_Index_Derivatives.csv", of: "NFO"),
        file("Bfo_Equity_Derivatives.csv", of: "BFO"), file("Bfo_Index_Derivatives.csv", of: "BFO"),
        file("Currency_Derivatives.csv", of: "CDS"), file("Commodity.csv", of: "MCX"),
    ]
    static let familyFiles = ["NSE", "BSE", "NFO", "BFO", "CDS", "MCX"].map { file("\($0)_symbols.txt.zip", of: $0) }

    private static func file(_ name: String, of exchange: String) -> MasterFile {
        MasterFile(name, exchanges: [exchange, "\(exchange)_INDEX"]) { query throws(AdapterError) in
            var folder = query.setting("master_endpoint")
            while folder.hasSuffix("/") { folder.removeLast() }
            return MasterRequest("\(folder)/\(name)")
        } parse: { bytes, rows throws(AdapterError) in
            try parse(bytes, into: &rows)
        }
    }

    /// Reads a file of either form.
    static func parse(_ bytes: Bytes, into rows: inout MasterRows) throws(AdapterError) {
        var lines = DelimitedText(bytes)
        let columns = try Columns(lines)
        var indices = KnownIndices()
        let skippedBefore = rows.skipped
        var hasLines = false
        while lines.next(&rows) {
            hasLines = true
            guard let line = ScripLine(lines, columns) else {
                rows.skip(ScripLine.reason(lines, columns), at: lines)
                continue
            }
            guard let row = line.row else {
                rows.skip(line.reason, at: lines)
                continue
            }
            indices.note(row)
            try rows.append(row)
        }
        if hasLines, rows.count == 0 {
            throw AdapterError(
                .invalid, "none of the \(rows.skipped - skippedBefore) lines is a scrip on an exchange that is known")
        }
        for row in indices.missing { try rows.append(row) }
    }
}

extension ScripMaster {
    /// Where the values of a line are.
    struct Columns {
        let exchange, token, symbol, tradingSymbol, instrument: Int
        let lotSize, expiry, strike, optionType, tickSize: Int?

        init(_ lines: DelimitedText) throws(AdapterError) {
            exchange = try lines.required("Exchange")
            token = try lines.required("Token")
            symbol = try lines.required("Symbol")
            tradingSymbol = try lines.required("TradingSymbol")
            instrument = try lines.required("Instrument")
            lotSize = lines.column("LotSize")
            expiry = lines.column("Expiry")
            strike = lines.column("StrikePrice", "Strike")
            optionType = lines.column("OptionType")
            tickSize = lines.column("TickSize")
        }
    }

    /// Indices whose tokens are known and that some files leave out.
    struct KnownIndices {
        private static let all = [
            index("NIFTY", "NSE", "26000", "Nifty 50"), index("BANKNIFTY", "NSE", "26009", "Nifty Bank"),
            index("SENSEX", "BSE", "1", "SENSEX"), index("BANKEX", "BSE", "12", "BANKEX"),
        ]
        private var segments: Set<String> = []
        private var seen: Set<String> = []

        mutating func note(_ row: MasterRow) {
            if row.type == "INDEX" { seen.insert("\(row.exchange):\(row.symbol)") }
            if row.brokerExchange == "NSE" || row.brokerExchange == "BSE" { segments.insert(row.brokerExchange) }
        }

        /// Those of the segments that were seen.
        var missing: [MasterRow] {
            Self.all.filter { segments.contains($0.brokerExchange) && !seen.contains("\($0.exchange):\($0.symbol)") }
        }

        private static func index(_ symbol: String, _ exchange: String, _ token: String, _ name: String) -> MasterRow {
            var row = MasterRow(
                symbol: symbol, exchange: "\(exchange)_INDEX", brokerSymbol: name, brokerExchange: exchange,
                brokerToken: token)
            row.name = name
            row.type = "INDEX"
            row.lotSize = 1
            return row
        }
    }
}
