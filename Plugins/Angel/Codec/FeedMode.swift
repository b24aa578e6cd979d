import AdapterKit

/// A subscription mode of WebSocket 2.0, by its number on the wire.
enum FeedMode: UInt8, CaseIterable {
    case lastPrice = 1
    case quote = 2
    /// The day's figures and five levels.
    case snapQuote = 3
    /// Twenty levels and nothing else; NSE cash only.
    case depth20 = 4

    /// Bytes of a packet.
    var packetSize: Int {
        switch self {
        case .lastPrice: 51
        case .quote: 123
        case .snapQuote: 379
        case .depth20: 443
        }
    }

    /// The mode of the ticks that come of it.
    var mode: Mode {
        switch self {
        case .lastPrice: .lastPrice
        case .quote: .quote
        case .snapQuote, .depth20: .depth
        }
    }
}

/// Modes that are subscribed for one token. Each is a unit of the quota and brings packets of its own.
struct FeedModes: OptionSet, Hashable {
    var rawValue: UInt8

    static let lastPrice = FeedModes(.lastPrice)
    static let quote = FeedModes(.quote)
    static let snapQuote = FeedModes(.snapQuote)
    static let depth20 = FeedModes(.depth20)

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    init(_ mode: FeedMode) {
        rawValue = 1 << mode.rawValue
    }

    /// What a wish needs: one mode, and for more than five levels two, because the packets with twenty levels have no
    /// price and no figures of the day.
    init(_ mode: Mode, levels: Int) {
        switch mode {
        case .lastPrice: self = .lastPrice
        case .quote: self = .quote
        default: self = levels > 5 ? [.snapQuote, .depth20] : .snapQuote
        }
    }

    var count: Int { rawValue.nonzeroBitCount }

    func contains(_ mode: FeedMode) -> Bool { contains(FeedModes(mode)) }
}
