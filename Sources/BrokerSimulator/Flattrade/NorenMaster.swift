import NIOCore

/// The family's instrument files. They need no login.
///
/// Source: Flattrade's scrip master and Shoonya's symbol files.
enum NorenMaster {
    /// All files of a broker, by path.
    static func files(_ instruments: [SimulatedInstrument], style: NorenMasters) -> [String: ByteBuffer] {
        let indices = Set(instruments.lazy.filter(\.segment.isIndex).map(\.root))
        // Flattrade lists the indices of the BSE among its shares. In the others' files they are not: clients know their
        // tokens by heart.
        let rows = instruments.lazy.filter { $0.segment != .bseIndex || style == .csv }.compactMap { instrument in
            NorenMasterRow(instrument, isOnIndex: indices.contains(instrument.root))
        }
        switch style {
        case .csv: return csvFiles(rows)
        case .zippedText: return zippedFiles(rows)
        }
    }

    private static let csvHeader = "Exchange,Token,Lotsize,Symbol,Tradingsymbol,Instrument,Expiry,Strike,Optiontype\n"

    /// Folder and names of Flattrade's files.
    static let csvFolder = "/scripmaster/"
    static let csvNames = [
        "NSE_Equity.csv", "BSE_Equity.csv", "Nfo_Equity_Derivatives.csv", "Nfo_Index_Derivatives.csv",
        "Bfo_Equity_Derivatives.csv", "Bfo_Index_Derivatives.csv", "Currency_Derivatives.csv", "Commodity.csv",
    ]

    private static func csvFiles(_ rows: some Sequence<NorenMasterRow>) -> [String: ByteBuffer] {
        var files = Dictionary(uniqueKeysWithValues: csvNames.map { (csvFolder + $0, ByteBuffer(string: csvHeader)) })
        for row in rows {
            files[csvFolder + row.csvName]?.writeString(
                "\(row.exchange),\(row.token),\(row.lotSize),\(row.root),\(row.symbol),\(row.type),\(row.expiry),"
                    + "\(row.strike),\(row.right)\n")
        }
        return files
    }

    static let textExchanges = ["NSE", "NFO", "CDS", "MCX", "BSE", "BFO"]

    static func zipPath(_ exchange: String) -> String { "/\(exchange)_symbols.txt.zip" }

    private static func zippedFiles(_ rows: some Sequence<NorenMasterRow>) -> [String: ByteBuffer] {
        var texts: [String: ByteBuffer] = [:]
        for exchange in textExchanges { texts[exchange] = ByteBuffer(string: textHeader(exchange)) }
        for row in rows { texts[row.exchange]?.writeString(textRow(row)) }
        var files: [String: ByteBuffer] = [:]
        for (exchange, text) in texts {
            files[zipPath(exchange)] = ZipArchive.holding(text, named: "\(exchange)_symbols.txt")
        }
        return files
    }

    /// Every line ends with a comma, as the brokers' do.
    private static func textHeader(_ exchange: String) -> String {
        switch exchange {
        case "NSE", "BSE": "Exchange,Token,LotSize,Symbol,TradingSymbol,Instrument,TickSize,\n"
        default:
            "Exchange,Token,LotSize,\(extraColumns(exchange).map { "\($0.0)," }.joined())Symbol,TradingSymbol,Expiry,"
                + "Instrument,OptionType,StrikePrice,TickSize,\n"
        }
    }

    private static func textRow(_ row: NorenMasterRow) -> String {
        let start = "\(row.exchange),\(row.token),\(row.lotSize),"
        switch row.exchange {
        case "NSE", "BSE":
            return "\(start)\(row.root),\(row.textSymbol),\(row.type),\(row.tickSize),\n"
        default:
            let extra = extraColumns(row.exchange).map { "\($0.1)," }.joined()
            return "\(start)\(extra)\(row.root),\(row.symbol),\(row.expiry),\(row.type),\(row.right),\(row.strike),"
                + "\(row.tickSize),\n"
        }
    }

    /// Columns that only one exchange has, with their value.
    private static func extraColumns(_ exchange: String) -> [(String, String)] {
        switch exchange {
        case "CDS": [("Precision", "4"), ("Multiplier", "1000")]
        case "MCX": [("GNGD", "1")]
        default: []
        }
    }
}
