import AdapterKit

/// How much Kite sends of an instrument; one mode a token and connection, the last one asked for wins.
enum FeedMode: UInt8, Comparable {
    case lastPrice = 1
    case quote = 2
    case full = 3

    init(_ mode: Mode) {
        self = mode >= .depth ? .full : mode >= .quote ? .quote : .lastPrice
    }

    /// As in `mode` requests.
    var name: String {
        switch self {
        case .lastPrice: "ltp"
        case .quote: "quote"
        case .full: "full"
        }
    }

    static func < (a: FeedMode, b: FeedMode) -> Bool { a.rawValue < b.rawValue }
}
