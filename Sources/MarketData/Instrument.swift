/// What is traded: an OpenAlgo symbol on an OpenAlgo exchange, both case-sensitive, e.g. `NSE:RELIANCE`.
public struct Instrument: Sendable, Hashable, CustomStringConvertible {
    public let exchange: String
    public let symbol: String

    public init(exchange: String, symbol: String) {
        self.exchange = exchange
        self.symbol = symbol
    }

    /// Reads `EXCHANGE:SYMBOL`, the spelling of the command line; the symbol may hold further colons.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        self.init(exchange: String(text[..<colon]), symbol: String(text[text.index(after: colon)...]))
        guard isPlausible else { return nil }
    }

    public var description: String { "\(exchange):\(symbol)" }

    /// Names are bounded and printable, so that nothing from a client can blow up a topic or a log line.
    public var isPlausible: Bool {
        !exchange.isEmpty && !symbol.isEmpty && exchange.utf8.count <= 32 && symbol.utf8.count <= 96
            && exchange.utf8.allSatisfy(Instrument.isPrintable) && symbol.utf8.allSatisfy(Instrument.isPrintable)
    }

    private static func isPrintable(_ byte: UInt8) -> Bool { byte > 0x20 && byte != 0x7F }
}
