import MarketData

/// One broker's master in memory, looked up in either direction. Immutable; any thread.
///
/// 200,000 rows take about 30 MB: fixed records, one array of texts, three hash tables of row numbers. Nothing is
/// allocated until a row is found.
final class InstrumentIndex: Sendable {
    /// One row: places in ``texts`` and numbers of words.
    struct Record {
        var symbol: UInt32
        var brokerSymbol: UInt32
        var token: UInt32
        var name: UInt32
        var tickSize: Int64
        var strike: Int64
        var lotSize: Int64
        var expiry: UInt32
        var exchange: UInt16
        var brokerExchange: UInt16
        var type: UInt16
        var priceExponent: Int8
    }

    /// Sorted by exchange and symbol, byte by byte.
    let records: [Record]
    let texts: TextPool
    let exchanges: WordTable
    /// The rows of each exchange.
    let ranges: [Range<Int>]
    private let brokerExchanges: WordTable
    private let types: WordTable
    private let bySymbol: SlotTable
    private let byToken: SlotTable
    private let byBrokerSymbol: SlotTable

    init(_ builder: consuming IndexBuilder) {
        let records = builder.records
        let texts = builder.texts
        var ranges = [Range<Int>](repeating: 0..<0, count: builder.exchanges.words.count)
        var bySymbol = SlotTable(rows: records.count)
        var byToken = SlotTable(rows: records.count)
        var byBrokerSymbol = SlotTable(rows: records.count)
        for (row, record) in records.enumerated() {
            let exchange = Int(record.exchange)
            ranges[exchange] = ranges[exchange].isEmpty ? row..<row + 1 : ranges[exchange].lowerBound..<row + 1
            texts.with(record.symbol) { text in
                bySymbol.insert(row, hash: SlotTable.hash(record.exchange, text)) {
                    records[$0].exchange == record.exchange && texts.equals(records[$0].symbol, text)
                }
            }
            if record.token != TextPool.none {
                texts.with(record.token) { text in
                    byToken.insert(row, hash: SlotTable.hash(record.brokerExchange, text)) {
                        records[$0].brokerExchange == record.brokerExchange && texts.equals(records[$0].token, text)
                    }
                }
            }
            if record.brokerSymbol != TextPool.none {
                texts.with(record.brokerSymbol) { text in
                    byBrokerSymbol.insert(row, hash: SlotTable.hash(record.brokerExchange, text)) {
                        records[$0].brokerExchange == record.brokerExchange
                            && texts.equals(records[$0].brokerSymbol, text)
                    }
                }
            }
        }
        self.records = records
        self.texts = texts
        self.ranges = ranges
        exchanges = builder.exchanges
        brokerExchanges = builder.brokerExchanges
        types = builder.types
        self.bySymbol = bySymbol
        self.byToken = byToken
        self.byBrokerSymbol = byBrokerSymbol
    }

    var count: Int { records.count }

    /// The whole row of an instrument.
    func listing(of instrument: Instrument) -> Listing? {
        guard let exchange = exchanges.find(instrument.exchange) else { return nil }
        var symbol = instrument.symbol
        return symbol.withUTF8 { row(exchange, $0) }.map(listing)
    }

    func instrument(brokerExchange: String, brokerToken: String) -> Instrument? {
        guard let exchange = brokerExchanges.find(brokerExchange) else { return nil }
        var token = brokerToken
        return token.withUTF8 { text in
            byToken.find(hash: SlotTable.hash(exchange, text)) {
                records[$0].brokerExchange == exchange && texts.equals(records[$0].token, text)
            }
        }.map(instrument)
    }

    func instrument(brokerExchange: String, brokerSymbol: String) -> Instrument? {
        guard let exchange = brokerExchanges.find(brokerExchange) else { return nil }
        var symbol = brokerSymbol
        return symbol.withUTF8 { text in
            byBrokerSymbol.find(hash: SlotTable.hash(exchange, text)) {
                records[$0].brokerExchange == exchange && texts.equals(records[$0].brokerSymbol, text)
            }
        }.map(instrument)
    }

    /// The row of a symbol on an exchange.
    func row(_ exchange: UInt16, _ symbol: UnsafeBufferPointer<UInt8>) -> Int? {
        bySymbol.find(hash: SlotTable.hash(exchange, symbol)) {
            records[$0].exchange == exchange && texts.equals(records[$0].symbol, symbol)
        }
    }

    func instrument(_ row: Int) -> Instrument {
        let record = records[row]
        return Instrument(exchange: exchanges[record.exchange], symbol: texts.string(record.symbol))
    }

    private func listing(_ row: Int) -> Listing {
        let record = records[row]
        return Listing(
            instrument: instrument(row), brokerSymbol: texts.string(record.brokerSymbol),
            brokerExchange: brokerExchanges[record.brokerExchange], brokerToken: texts.string(record.token),
            name: texts.string(record.name), type: types[record.type], priceExponent: record.priceExponent,
            tickSize: record.tickSize, strike: record.strike, lotSize: record.lotSize, expiry: record.expiry)
    }
}
