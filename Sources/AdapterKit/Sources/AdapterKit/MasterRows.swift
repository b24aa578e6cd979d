import CFeedhostABI

/// Where the rows of a master file go: handed to the host in batches, so that no second copy of the file is built.
public struct MasterRows {
    /// Rows handed over so far.
    public private(set) var count = 0
    /// Rows left out so far.
    public private(set) var skipped = 0
    /// Why the file is not to be trusted, as sentences; none is best.
    public private(set) var doubts: [String] = []
    /// Rows handed over so far that are on none of ``expected``, by exchange.
    private(set) var strangers: [String: Int] = [:]
    /// OpenAlgo exchanges that the file should be of; empty if it may be of any.
    var expected: [String] = []

    private static let batch = 256
    private static let textsPerRow = 7

    /// Doubts that are told at most: the first ones say what is wrong.
    private static let doubtsTold = 3

    private let deliver: (UnsafeBufferPointer<fh_master_row>) -> Int32
    private let tell: (Skipped) -> Void
    private var arena = TextArena()
    private var places: [Range<Int>] = []
    private var records: [fh_master_row] = []

    init(
        deliver: @escaping (UnsafeBufferPointer<fh_master_row>) -> Int32,
        tell: @escaping (Skipped) -> Void = { _ in }
    ) {
        self.deliver = deliver
        self.tell = tell
        places.reserveCapacity(Self.batch * Self.textsPerRow)
        records.reserveCapacity(Self.batch)
    }

    /// Adds a row. One without symbol, exchange or token is left out.
    ///
    /// - Throws: what the host answered when it wants no more; let it through.
    public mutating func append(_ row: MasterRow) throws(AdapterError) {
        guard !row.brokerToken.isEmpty else { return skip(.token) }
        guard !row.symbol.isEmpty else { return skip(.symbol) }
        guard !row.exchange.isEmpty else { return skip(.exchange) }
        if !expected.isEmpty, !expected.contains(row.exchange) { strangers[row.exchange, default: 0] += 1 }
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

    /// Leaves a row out: counted by the reason, and the first of each are shown to the user.
    ///
    /// - Parameters:
    ///   - line: where it is, from 1; 0 if that is not known
    ///   - example: the row as the file has it, or its beginning
    public mutating func skip(_ reason: SkipReason = .noSense, line: Int = 0, example: Bytes = .empty) {
        skipped += 1
        tell(Skipped(reason: reason, line: line, example: example))
    }

    /// Leaves out the current line of `lines`.
    public mutating func skip(_ reason: SkipReason, at lines: DelimitedText) {
        skip(reason, line: lines.line, example: lines.text)
    }

    /// Says in a sentence why the file is not to be trusted, e.g. that it breaks off. The host keeps what it had, unless
    /// the user insists: read on, and hand over what can be read.
    public mutating func doubt(_ sentence: String) {
        if doubts.count < Self.doubtsTold { doubts.append(sentence) }
    }

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
    /// - Throws: what the file's parser throws, or the first of its doubts.
    public static func rows(of file: MasterFile, in bytes: [UInt8]) throws(AdapterError) -> (
        rows: [MasterRow], skipped: Int
    ) {
        let reading = try reading(of: file, in: bytes)
        if let doubt = reading.doubts.first { throw AdapterError(.invalid, doubt) }
        return (reading.rows, reading.skipped.count)
    }

    /// All that `file` makes of `bytes`, for tests and tools.
    ///
    /// - Throws: what the file's parser throws.
    public static func reading(of file: MasterFile, in bytes: [UInt8]) throws(AdapterError) -> MasterReading {
        var reading = MasterReading()
        var failure: AdapterError?
        bytes.withUnsafeBufferPointer { buffer in
            var sink = MasterRows { records in
                reading.rows.append(contentsOf: records.map { MasterRow($0) })
                return Status.ok.rawValue
            } tell: {
                reading.skipped.append(
                    MasterReading.Skip(reason: $0.reason, line: $0.line, example: String($0.example)))
            }
            do throws(AdapterError) {
                try file.read(Bytes(buffer), into: &sink)
            } catch {
                failure = error
            }
            reading.doubts = sink.doubts
            reading.strangers = file.strangers(sink)
        }
        if let failure { throw failure }
        return reading
    }
}

/// A row that is left out, borrowed from the file.
struct Skipped {
    var reason: SkipReason
    var line: Int
    var example: Bytes
}

/// What a master file was found to hold.
public struct MasterReading: Sendable {
    /// A row that was left out.
    public struct Skip: Sendable, Hashable {
        /// Why.
        public var reason: SkipReason
        /// Where, from 1; 0 if that is not known.
        public var line: Int
        /// The row as the file has it, or its beginning.
        public var example: String
    }

    /// Those that were handed over.
    public var rows: [MasterRow] = []
    /// Those that were not.
    public var skipped: [Skip] = []
    /// Why the file is not to be trusted.
    public var doubts: [String] = []
    /// A sentence, if most rows are on other exchanges than the file should be of.
    public var strangers: String?
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
