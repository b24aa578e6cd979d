import MarketData

/// What is known of a broker's master beside its rows.
public struct MasterRecord: Sendable, Hashable {
    public let broker: String
    /// Rises with every sync of any broker.
    let sync: Int64
    /// Where it came from: scheme, host and port, or the names of files.
    public let source: String
    /// Instruments that can be looked up.
    public let rows: Int
    /// Rows of the files that cannot be looked up.
    public let leftOut: Int
    /// Why, with the first rows of each reason.
    public var reasons: [LeftOutRows.Reason] = []
    /// Instruments among ``rows`` that go by the broker's symbol because another one has got their name.
    public var namesakes = 0
    /// The broker's names of the files, with the rows that each had; empty where that is not known.
    public var files: [String: Int] = [:]
    /// Files that were right but for being without any instrument, sorted.
    public var emptyFiles: [String] { files.filter { $0.value == 0 }.keys.sorted() }
    /// Seconds since 1970, UTC.
    public let syncedAt: Int64
}

/// What to look for in the stored masters.
public struct MasterSearch: Sendable, Hashable {
    /// Part of a symbol or a name, of OpenAlgo's or the broker's; capitals or not.
    public var text: String
    /// OpenAlgo's exchange; nil for all.
    public var exchange: String?
    /// Nil for all.
    public var broker: String?
    /// Rows at the most.
    public var limit: Int

    public init(_ text: String, exchange: String? = nil, broker: String? = nil, limit: Int = 20) {
        self.text = text
        self.exchange = exchange
        self.broker = broker
        self.limit = limit
    }
}
