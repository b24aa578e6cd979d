import MarketData

/// An order's header as it travels in a batch: four texts, each behind its length; one that is absent has the length −1.
struct EncodedOrderHeader {
    let bytes: [UInt8]

    init(_ header: OrderHeader) {
        var bytes: [UInt8] = []
        for text in [header.user, header.broker, header.instrument?.exchange, header.instrument?.symbol] {
            withUnsafeBytes(of: Int32(clamping: text?.utf8.count ?? -1)) { bytes += $0 }
            if let text { bytes += text.utf8 }
        }
        self.bytes = bytes
    }

    static func read(_ bytes: UnsafeRawBufferPointer) -> OrderHeader {
        var rest = bytes[...]
        func next() -> String? {
            guard rest.count >= 4 else { return nil }
            let length = Int(bytes.loadUnaligned(fromByteOffset: rest.startIndex, as: Int32.self))
            rest = rest.dropFirst(4)
            guard length >= 0 else { return nil }
            defer { rest = rest.dropFirst(length) }
            return String(decoding: rest.prefix(length), as: UTF8.self)
        }
        let (user, broker, exchange, symbol) = (next(), next(), next(), next())
        let instrument: Instrument? =
            if let exchange, let symbol { Instrument(exchange: exchange, symbol: symbol) } else { nil }
        return OrderHeader(user: user ?? "", broker: broker, instrument: instrument)
    }
}
