/// A topic of the public bus, as a value. On the wire it is one of
/// `BROKER_EXCHANGE_SYMBOL_MODE`, `BROKER_NSE_INDEX_SYMBOL_MODE` and the legacy `EXCHANGE_SYMBOL_MODE`.
public struct Topic: Sendable, Hashable {
    /// Upper case; nil in the legacy form.
    public let broker: String?
    public let instrument: Instrument
    public let mode: Mode

    public init(broker: String?, instrument: Instrument, mode: Mode) {
        self.broker = broker
        self.instrument = instrument
        self.mode = mode
    }

    /// Reads a topic of any form; nil if it is none. Symbols may hold `_`, exchanges may span two segments, and the mode
    /// may be in any case (client-protocol.md section 6).
    public init?(_ text: some StringProtocol, exchanges: Exchanges = Exchanges()) {
        let segments = text.split(separator: "_", omittingEmptySubsequences: false).map { Substring($0) }
        guard segments.count >= 3, let last = segments.last, let mode = Mode(label: last) else { return nil }
        let body = segments.dropLast()
        // A broker's key may itself hold `_`, so the exchange is looked for at every segment but the last.
        for start in body.indices.dropLast() {
            let length = exchanges.leading(body[start...])
            guard length > 0 else { continue }
            let exchange = body[start..<start + length].joined(separator: "_")
            let symbol = body[(start + length)...].joined(separator: "_")
            guard !symbol.isEmpty else { return nil }
            let broker = start == body.startIndex ? nil : body[..<start].joined(separator: "_")
            self.init(broker: broker, instrument: Instrument(exchange: exchange, symbol: symbol), mode: mode)
            return
        }
        return nil
    }

    /// The legacy form, without the broker.
    public var legacy: String { "\(instrument.exchange)_\(instrument.symbol)_\(mode.topicSegment)" }

    /// The long form; the legacy one when there is no broker.
    public var text: String { broker.map { "\($0.uppercased())_\(legacy)" } ?? legacy }
}
