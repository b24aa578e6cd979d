/// One file of a broker's instrument master: where it is, and how to read it.
///
/// The host downloads, unpacks (zip, gzip) and stores; the adapter maps the broker's names to OpenAlgo's.
///
/// ```swift
/// MasterFile("instruments.csv") { query throws(AdapterError) in
///     MasterRequest(query.setting("master_endpoint"))
/// } parse: { bytes, rows throws(AdapterError) in
///     var lines = DelimitedText(bytes)
///     …
///     while lines.next(&rows) {
///         try rows.append(MasterRow(symbol: …, exchange: "NSE", …))
///     }
/// }
/// ```
public struct MasterFile: Sendable {
    /// The file's name at the broker, e.g. `NSE_symbols.txt.zip`; a trader who has downloaded it names it so.
    public let name: String
    /// OpenAlgo exchanges whose instruments the file should hold; empty if it holds those of all.
    public let exchanges: [String]
    let locate: @Sendable (MasterQuery) throws(AdapterError) -> MasterRequest
    let parse: @Sendable (Bytes, inout MasterRows) throws(AdapterError) -> Void

    /// Describes a file.
    ///
    /// - Parameters:
    ///   - name: its name at the broker
    ///   - exchanges: OpenAlgo exchanges that it is of, where a broker has a file for each: another one in its place is
    ///     refused
    ///   - locate: makes the download's address; throws ``Status/authentication`` if it needs credentials that are missing
    ///   - parse: reads the unpacked file; throws ``Status/invalid`` if it is none of this broker's. A row that makes no
    ///     sense is left out with ``MasterRows/skip(_:line:example:)``, and what speaks against the whole file is a
    ///     ``MasterRows/doubt(_:)``. The text is UTF-8 without a byte order mark.
    public init(
        _ name: String, exchanges: [String] = [],
        locate: @escaping @Sendable (MasterQuery) throws(AdapterError) -> MasterRequest,
        parse: @escaping @Sendable (Bytes, inout MasterRows) throws(AdapterError) -> Void
    ) {
        self.name = name
        self.exchanges = exchanges
        self.locate = locate
        self.parse = parse
    }
}

extension MasterFile {
    /// Reads the file in full.
    func read(_ bytes: Bytes, into rows: inout MasterRows) throws(AdapterError) {
        rows.expected = exchanges
        try parse(try Self.text(bytes), &rows)
        try rows.flush()
    }

    /// Without the mark that Windows puts before UTF-8. Hosts before ABI 1.1 hand over UTF-16 as it is: that is named.
    private static func text(_ bytes: Bytes) throws(AdapterError) -> Bytes {
        if bytes.slice(from: 0, to: 3) == "\u{FEFF}" { return bytes.slice(from: 3) }
        let start = (bytes[0] ?? 1, bytes[1] ?? 1)
        guard start == (0xFF, 0xFE) || start == (0xFE, 0xFF) || start.0 == 0 || start.1 == 0 else { return bytes }
        throw AdapterError(
            .invalid,
            "the text is UTF-16, as spreadsheets save it, and not UTF-8; save it as UTF-8, or download it again")
    }

    /// A sentence, if at least half of the rows are on other exchanges than the file should be of.
    func strangers(_ rows: MasterRows) -> String? {
        let count = rows.strangers.values.reduce(0, +)
        guard count > 0, count * 2 >= rows.count,
            let most = rows.strangers.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })
        else { return nil }
        return
            "\(count) of its \(rows.count) rows are of other exchanges (\(most.value) of \(most.key)), and this should be the file "
            + "of \(exchanges.joined(separator: ", ")): is it another one of the broker's files?"
    }
}

/// What a download may need to know.
public struct MasterQuery: Sendable {
    /// The adapter's settings, defaults included.
    public var settings: [String: String]
    /// What the user has stored for this broker; empty if nothing.
    public var credentials: [String: String]

    /// A query of your own, for tests.
    public init(settings: [String: String] = [:], credentials: [String: String] = [:]) {
        self.settings = settings
        self.credentials = credentials
    }

    /// The value of a setting; empty if it has none.
    public func setting(_ name: String) -> String { settings[name] ?? "" }

    /// The value of a credential.
    ///
    /// - Throws: ``Status/authentication`` naming what is missing.
    public func credential(_ name: String) throws(AdapterError) -> String {
        guard let value = credentials[name], !value.isEmpty else {
            throw AdapterError(.authentication, "the download needs the user's \(name), and none is stored")
        }
        return value
    }
}

/// How to download a master file.
public struct MasterRequest: Sendable {
    /// http or https.
    public var url: String
    /// Header fields; secrets are safe in them.
    public var headers: [(String, String)]

    /// A GET request.
    public init(_ url: String, headers: [(String, String)] = []) {
        self.url = url
        self.headers = headers
    }
}

/// One instrument, with OpenAlgo's names and the broker's.
public struct MasterRow: Hashable, Sendable {
    /// OpenAlgo symbol, e.g. `RELIANCE`, `NIFTY28NOV24FUT`; see ``SymbolRules``.
    public var symbol: String
    /// OpenAlgo exchange, e.g. `NFO`, `NSE_INDEX`.
    public var exchange: String
    /// The broker's symbol.
    public var brokerSymbol: String
    /// The broker's name of the segment; together with the token it is unique.
    public var brokerExchange: String
    /// The broker's token.
    public var brokerToken: String
    /// Of the company or the underlying.
    public var name = ""
    /// `EQ`, `FUT`, `CE`, `PE`, `INDEX`, or the broker's own word.
    public var type = ""
    /// The day of expiry.
    public var expiry: CalendarDay?
    /// The power of ten of ``strike`` and ``tickSize``.
    public var priceExponent: Int8 = -2
    /// Mantissa; 0 = none.
    public var strike: Int64 = 0
    /// Smallest price step, mantissa; 0 = unknown.
    public var tickSize: Int64 = 0
    /// Units a lot; 0 = unknown.
    public var lotSize: Int64 = 0

    /// A row with the names that every instrument has.
    public init(
        symbol: String, exchange: String, brokerSymbol: String, brokerExchange: String, brokerToken: String
    ) {
        self.symbol = symbol
        self.exchange = exchange
        self.brokerSymbol = brokerSymbol
        self.brokerExchange = brokerExchange
        self.brokerToken = brokerToken
    }
}
