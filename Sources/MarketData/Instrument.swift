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

    /// Whether it is an index, which has no book in any mode: OpenAlgo's exchanges of indices end with `_INDEX`.
    public var isBookless: Bool { exchange.hasSuffix("_INDEX") }

    /// Names are bounded, visible and on one line, so that nothing from a client can blow up a topic or a log line.
    ///
    /// A symbol may hold spaces inside (`ALAN SCOTT` of BSE) and letters of any script (`币安人生USDT`). Neither
    /// may hold control characters, or characters that look like nothing or like a space: such a name could not
    /// be told from another one in a log or on a screen.
    public var isPlausible: Bool {
        Self.isName(exchange, limit: 32, spaces: false) && Self.isName(symbol, limit: 96, spaces: true)
    }

    /// Whether `text` may be a symbol, or a part of one, such as a pattern for symbols.
    public static func isSymbol(_ text: String) -> Bool { isName(text, limit: 96, spaces: true) }

    /// - Parameter limit: Bytes of UTF-8.
    private static func isName(_ text: String, limit: Int, spaces: Bool) -> Bool {
        let bytes = text.utf8
        guard (1...limit).contains(bytes.count), bytes.first != 0x20 else { return false }
        var last: UInt8 = 0
        var isASCII = true
        for byte in bytes {
            guard byte > 0x20 || byte == 0x20 && spaces, byte != 0x7F else { return false }
            if byte >= 0x80 { isASCII = false }
            last = byte
        }
        return last != 0x20 && (isASCII || text.unicodeScalars.allSatisfy(isVisible))
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return true }
        // U+FFFD stands for bytes that were no text.
        if scalar == "\u{FFFD}" || scalar.properties.isDefaultIgnorableCodePoint { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default:
            return true
        }
    }
}
