import MarketData

/// One instrument of a request, as the client wrote it.
struct WrittenInstrument {
    let symbol: JSONValue
    let exchange: JSONValue
    /// The entry's own mode; only `unsubscribe` reads it.
    let mode: JSONValue?

    /// Nil when symbol or exchange is missing: such entries are passed over in silence, as recorded.
    init?(_ value: JSONValue) {
        guard let symbol = value["symbol"], symbol.isTruthy, let exchange = value["exchange"], exchange.isTruthy else {
            return nil
        }
        self.symbol = symbol
        self.exchange = exchange
        mode = value["mode"]
    }

    /// The instrument as written, a suffix included.
    func instrument() throws(Rejection) -> Instrument {
        guard let symbol = symbol.string, let exchange = exchange.string else {
            throw Rejection(.invalidParameters, "symbol and exchange must be texts")
        }
        return Instrument(exchange: exchange, symbol: symbol)
    }

    /// The entries of a request: its `symbols`, or else the one instrument that it names itself.
    /// - Returns: Nil when it names none at all.
    static func entries(of request: JSONValue) throws(Rejection) -> [WrittenInstrument]? {
        guard let symbols = request["symbols"], symbols.isTruthy else {
            return WrittenInstrument(request).map { [$0] }
        }
        guard case .array(let values) = symbols else {
            throw Rejection(.invalidParameters, "symbols must be a list of objects with symbol and exchange")
        }
        var entries: [WrittenInstrument] = []
        for value in values {
            guard case .object = value else {
                throw .notAnObject(
                    value, "symbols must hold objects, like {\"symbol\":\"SBIN\",\"exchange\":\"NSE\"}")
            }
            if let entry = WrittenInstrument(value) { entries.append(entry) }
        }
        return entries
    }
}
