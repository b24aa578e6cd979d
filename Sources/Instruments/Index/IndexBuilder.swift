/// Takes the rows of a master in order and makes an ``InstrumentIndex`` of them.
struct IndexBuilder: ~Copyable {
    /// One row's texts, borrowed for the call of ``append(_:_:)``.
    struct Texts {
        var exchange: UnsafeBufferPointer<UInt8>
        var symbol: UnsafeBufferPointer<UInt8>
        var brokerExchange: UnsafeBufferPointer<UInt8>
        var brokerSymbol: UnsafeBufferPointer<UInt8>
        var token: UnsafeBufferPointer<UInt8>
        var name: UnsafeBufferPointer<UInt8>
        var type: UnsafeBufferPointer<UInt8>
    }

    /// One row's numbers.
    struct Numbers {
        var tickSize: Int64
        var strike: Int64
        var lotSize: Int64
        var expiry: UInt32
        var priceExponent: Int8
    }

    private(set) var records: [InstrumentIndex.Record] = []
    private(set) var texts = TextPool()
    private(set) var exchanges = WordTable()
    private(set) var brokerExchanges = WordTable()
    private(set) var types = WordTable()
    private var lastName = TextPool.none

    /// - Parameter rows: How many will come, as far as is known.
    init(rows: Int) {
        records.reserveCapacity(rows)
        texts.reserve(rows * 40)
    }

    /// Adds a row. They come sorted by exchange and symbol, byte by byte, none twice.
    mutating func append(_ row: Texts, _ numbers: Numbers) {
        guard let exchange = exchanges.number(row.exchange), let type = types.number(row.type),
            let brokerExchange = brokerExchanges.number(row.brokerExchange), records.count < Int(UInt32.max) - 1
        else { return }
        let symbol = texts.append(row.symbol)
        guard symbol != TextPool.none else { return }
        // Many brokers use OpenAlgo's symbol for shares, and all contracts of an underlying have its name.
        let brokerSymbol = texts.equals(symbol, row.brokerSymbol) ? symbol : texts.append(row.brokerSymbol)
        if !texts.equals(lastName, row.name) { lastName = texts.append(row.name) }
        records.append(
            InstrumentIndex.Record(
                symbol: symbol, brokerSymbol: brokerSymbol, token: texts.append(row.token), name: lastName,
                tickSize: numbers.tickSize, strike: numbers.strike, lotSize: numbers.lotSize, expiry: numbers.expiry,
                exchange: exchange, brokerExchange: brokerExchange, type: type, priceExponent: numbers.priceExponent))
    }
}
