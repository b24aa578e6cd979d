import MarketData
import NIOCore

/// What `GET /_sim/instruments` answers: an array with the values of every instrument. Prices are mantissas,
/// `price_exponent` is their power of ten; times are ms since the Unix epoch; a row of a book is price, quantity and
/// orders.
enum InstrumentTable {
    private static let numbers: [(name: StaticString, value: any KeyPath<Quote, Int64> & Sendable)] = [
        ("ltp", \.lastPrice), ("ltq", \.lastQuantity), ("atp", \.averagePrice), ("volume", \.volume),
        ("tbq", \.totalBuyQuantity), ("tsq", \.totalSellQuantity), ("open", \.open), ("high", \.high), ("low", \.low),
        ("close", \.close), ("oi", \.openInterest), ("oi_high", \.openInterestHigh), ("oi_low", \.openInterestLow),
        ("oi_previous", \.previousOpenInterest), ("lower_circuit", \.lowerCircuit), ("upper_circuit", \.upperCircuit),
        ("52_week_high", \.yearHigh), ("52_week_low", \.yearLow),
    ]

    /// - Parameters:
    ///   - exchange: Only its rows, by OpenAlgo's code.
    ///   - key: Only this row.
    ///   - name: How the broker writes an instrument.
    static func json(_ market: Market, exchange: String?, key: String?, named name: (Int) -> String) -> ByteBuffer {
        // Written by hand: a load test has thousands of rows, and the loop has ticks to send meanwhile.
        var writer = JSONWriter(capacity: 1 << 20)
        writer.byte(UInt8(ascii: "["))
        var isFirst = true
        for index in market.instruments.indices {
            let instrument = market.instruments[index]
            if let exchange, instrument.segment.rawValue != exchange { continue }
            let rowKey = name(index)
            if let key, rowKey != key { continue }
            if !isFirst { writer.raw(",\n") }
            isFirst = false
            writer.raw("{\"key\":")
            writer.string(rowKey)
            writer.raw(",\"exchange\":")
            writer.string(instrument.segment.rawValue)
            writer.raw(",\"symbol\":")
            writer.string(instrument.symbol)
            writer.raw(",\"price_exponent\":")
            writer.integer(Int64(instrument.segment.priceExponent))
            write(market.quotes[index], into: &writer)
        }
        writer.byte(UInt8(ascii: "]"))
        return writer.withBytes { ByteBuffer(bytes: $0) }
    }

    private static func write(_ quote: Quote, into writer: inout JSONWriter) {
        for number in numbers {
            writer.raw(",\"")
            writer.raw(number.name)
            writer.raw("\":")
            writer.integer(quote[keyPath: number.value])
        }
        writer.raw(",\"version\":")
        writer.unsigned(quote.version)
        writer.raw(",\"last_trade_time\":")
        writer.unsigned(quote.lastTradeTime / 1_000_000)
        writer.raw(",\"exchange_time\":")
        writer.unsigned(quote.exchangeTime / 1_000_000)
        write("bids", quote.bids, into: &writer)
        write("asks", quote.asks, into: &writer)
        writer.byte(UInt8(ascii: "}"))
    }

    private static func write(_ name: StaticString, _ levels: [BookLevel], into writer: inout JSONWriter) {
        writer.raw(",\"")
        writer.raw(name)
        writer.raw("\":[")
        for (place, level) in levels.enumerated() {
            if place > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.byte(UInt8(ascii: "["))
            writer.integer(level.price)
            writer.byte(UInt8(ascii: ","))
            writer.integer(level.quantity)
            writer.byte(UInt8(ascii: ","))
            writer.integer(level.orders)
            writer.byte(UInt8(ascii: "]"))
        }
        writer.byte(UInt8(ascii: "]"))
    }
}
