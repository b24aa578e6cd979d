import AdapterKit

/// The kinds of streams that this adapter can ask for, as a set.
struct StreamKinds: OptionSet, Hashable {
    var rawValue: UInt8

    static let trade = StreamKinds(rawValue: 1)
    static let aggregateTrade = StreamKinds(rawValue: 2)
    static let ticker = StreamKinds(rawValue: 4)
    static let bookTicker = StreamKinds(rawValue: 8)
    static let depth5 = StreamKinds(rawValue: 16)
    static let depth10 = StreamKinds(rawValue: 32)
    static let depth20 = StreamKinds(rawValue: 64)

    static let trades: StreamKinds = [.trade, .aggregateTrade]
    static let books: StreamKinds = [.depth5, .depth10, .depth20]

    /// The streams that serve `mode` with `levels` of depth.
    init(mode: Mode, levels: Int, trades: StreamKinds) {
        self = trades
        if mode >= .quote { formUnion([.ticker, .bookTicker]) }
        if mode >= .depth { insert(levels <= 5 ? .depth5 : levels <= 10 ? .depth10 : .depth20) }
    }

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The kind behind the `@` of a stream's name, or `nil` if this adapter never asks for it.
    ///
    /// The speed behind a partial book does not matter: `depth5` and `depth5@100ms` are the same book. `depth@100ms`
    /// has no number; it is the diff, which is of no use without a snapshot.
    static func named(_ name: Bytes) -> StreamKinds? {
        if name == "trade" { return .trade }
        if name == "bookTicker" { return .bookTicker }
        if name == "aggTrade" { return .aggregateTrade }
        if name == "ticker" { return .ticker }
        let at = name.firstIndex(of: UInt8(ascii: "@"))
        if let at {
            let speed = name.slice(from: at)
            guard speed == "@100ms" || speed == "@1000ms" else { return nil }
        }
        let kind = at.map { name.slice(from: 0, to: $0) } ?? name
        if kind == "depth20" { return .depth20 }
        if kind == "depth10" { return .depth10 }
        if kind == "depth5" { return .depth5 }
        return nil
    }

    /// The names to ask for, of the symbol in lower case.
    func names(of symbol: String) -> [String] {
        Self.suffixes.filter { contains($0.kind) }.map { "\(symbol)@\($0.suffix)" }
    }

    private static let suffixes: [(kind: StreamKinds, suffix: String)] = [
        (.trade, "trade"), (.aggregateTrade, "aggTrade"), (.ticker, "ticker"), (.bookTicker, "bookTicker"),
        (.depth5, "depth5@100ms"), (.depth10, "depth10@100ms"), (.depth20, "depth20@100ms"),
    ]
}

/// An instrument that is subscribed to.
struct Instrument {
    var handle: UInt32
    /// As in stream names: lower case.
    var symbol: String
    /// What is asked for, and therefore passed on.
    var kinds: StreamKinds
    var levels: Int
    /// The newest trade that was passed on. `trade` and `aggTrade` tell of the same trades, one after the other.
    var lastTradeID: Int64 = -1
    /// The newest of each stream: what a second connection brings late is left out. ms; update numbers of the order book.
    var tickerTime: Int64 = -1
    var topUpdate: Int64 = -1
    var bookUpdate: Int64 = -1
    /// Once these have come, the ticker's older copies of the same values are left out.
    var hasTrade = false
    var hasBookTicker = false
}
