/// What the holder of a key may see and do. Everything that is not allowed is answered as if it did not exist.
///
/// A list that is nil allows all; an empty one allows nothing.
public struct Permissions: Sendable, Hashable {
    public var brokers: Set<String>?
    public var exchanges: Set<String>?
    /// Patterns that a symbol must match one of; see ``matches(_:pattern:)``.
    public var symbols: [String]?
    public var modes: Set<Mode>
    /// Order updates of the user.
    public var orders: Bool
    /// Instruments that one client may hold at a time; nil for no limit of its own.
    public var maxInstruments: Int?

    public init(
        brokers: Set<String>? = nil, exchanges: Set<String>? = nil, symbols: [String]? = nil,
        modes: Set<Mode> = Set(Mode.allCases), orders: Bool = true, maxInstruments: Int? = nil
    ) {
        self.brokers = brokers
        self.exchanges = exchanges
        self.symbols = symbols
        self.modes = modes
        self.orders = orders
        self.maxInstruments = maxInstruments
    }

    /// No restriction, the default of a key.
    public static let everything = Permissions()

    public func allows(broker: String) -> Bool { brokers?.contains(broker) ?? true }

    /// - Parameter instrument: Without a depth suffix.
    public func allows(_ instrument: Instrument) -> Bool {
        guard exchanges?.contains(instrument.exchange) ?? true else { return false }
        guard let symbols else { return true }
        return symbols.contains { Self.matches(instrument.symbol, pattern: $0) }
    }

    public func allows(_ mode: Mode) -> Bool { modes.contains(mode) }

    /// Whether a symbol matches a pattern: `*` stands for any number of characters, `?` for one (of any script),
    /// everything else for itself; upper and lower case differ. Linear in the product of both lengths, whatever the
    /// pattern.
    public static func matches(_ symbol: String, pattern: String) -> Bool {
        let (text, pattern) = (Array(symbol.utf8), Array(pattern.utf8))
        var (t, p) = (0, 0)
        // Where to go on when what follows the last star does not fit.
        var retry: (text: Int, pattern: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                retry = (t, p + 1)
                p += 1
            } else if p < pattern.count, pattern[p] == text[t] || pattern[p] == UInt8(ascii: "?") {
                let isWhole = pattern[p] == UInt8(ascii: "?")
                (t, p) = (t + 1, p + 1)
                // The other bytes of a character beyond ASCII.
                while isWhole, t < text.count, text[t] & 0xC0 == 0x80 { t += 1 }
            } else if let last = retry {
                retry = (last.text + 1, last.pattern)
                (t, p) = (last.text + 1, last.pattern)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
