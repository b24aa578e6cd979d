import CFeedhostABI

/// Where the rows of a master file go: handed to the host in batches, so that no second copy of the file is built.
public struct MasterRows {
    /// Rows handed over so far.
    public private(set) var count = 0
    /// Rows left out so far because they make no sense.
    public private(set) var skipped = 0

    private static let batch = 256
    private static let textsPerRow = 7

    private let deliver: (UnsafeBufferPointer<fh_master_row>) -> Int32
    private var arena = TextArena()
    private var places: [Range<Int>] = []
    private var records: [fh_master_row] = []

    init(deliver: @escaping (UnsafeBufferPointer<fh_master_row>) -> Int32) {
        self.deliver = deliver
        places.reserveCapacity(Self.batch * Self.textsPerRow)
        records.reserveCapacity(Self.batch)
    }

    /// Adds a row. One without symbol, exchange or token is left out.
    ///
    /// - Throws: what the host answered when it wants no more; let it through.
    public mutating func append(_ row: MasterRow) throws(AdapterError) {
        guard !row.symbol.isEmpty, !row.exchange.isEmpty, !row.brokerToken.isEmpty else { return skip() }
        for text in [
            row.symbol, row.exchange, row.brokerSymbol, row.brokerExchange, row.brokerToken, row.name, row.type,
        ] {
            places.append(arena.add(text))
        }
        var record = fh_master_row()
        record.strike = row.strike
        record.tick_size = row.tickSize
        record.lot_size = row.lotSize
        record.expiry = row.expiry?.number ?? 0
        record.price_exp = row.priceExponent
        records.append(record)
        count += 1
        if records.count == Self.batch { try flush() }
    }

    /// Counts a row that makes no sense.
    public mutating func skip() { skipped += 1 }

    mutating func flush() throws(AdapterError) {
        guard !records.isEmpty else { return }
        let status = arena.withTexts(places) { texts in
            for row in records.indices {
                let first = row * Self.textsPerRow
                records[row].symbol = texts[first]
                records[row].exchange = texts[first + 1]
                records[row].broker_symbol = texts[first + 2]
                records[row].broker_exchange = texts[first + 3]
                records[row].broker_token = texts[first + 4]
                records[row].name = texts[first + 5]
                records[row].type = texts[first + 6]
            }
            return records.withUnsafeBufferPointer(deliver)
        }
        arena.removeAll()
        places.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        try AdapterError.check(status, "taking rows")
    }

    /// The rows that `file` makes of `bytes`, for tests and tools.
    ///
    /// - Throws: what the file's parser throws.
    public static func rows(of file: MasterFile, in bytes: [UInt8]) throws(AdapterError) -> (
        rows: [MasterRow], skipped: Int
    ) {
        var collected: [MasterRow] = []
        var skipped = 0
        var failure: AdapterError?
        bytes.withUnsafeBufferPointer { buffer in
            var sink = MasterRows { records in
                collected.append(contentsOf: records.map { MasterRow($0) })
                return Status.ok.rawValue
            }
            do throws(AdapterError) {
                try file.parse(Bytes(buffer), &sink)
                try sink.flush()
            } catch {
                failure = error
            }
            skipped = sink.skipped
        }
        if let failure { throw failure }
        return (collected, skipped)
    }
}

extension MasterRow {
    fileprivate init(_ record: fh_master_row) {
        self.init(
            symbol: String(record.symbol), exchange: String(record.exchange),
            brokerSymbol: String(record.broker_symbol), brokerExchange: String(record.broker_exchange),
            brokerToken: String(record.broker_token))
        name = String(record.name)
        type = String(record.type)
        expiry = CalendarDay(number: record.expiry)
        priceExponent = record.price_exp
        strike = record.strike
        tickSize = record.tick_size
        lotSize = record.lot_size
    }
}
