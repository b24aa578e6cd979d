import MarketData
import NIOCore

/// `subscribe`: instruments, with one mode and one depth for all of them.
struct SubscribeRequest {
    let entries: [WrittenInstrument]
    let mode: Mode
    /// Levels asked for by the request; a suffix of a symbol goes before.
    let depth: Int
    /// At most one message of each instrument in that time, the newest; nil for all of them.
    let interval: TimeAmount?
    /// Which of the user's brokers; nil for the usual one.
    let broker: String?

    static let defaultDepth = 5

    init(_ value: JSONValue) throws(Rejection) {
        guard let entries = try WrittenInstrument.entries(of: value) else {
            throw Rejection(.invalidParameters, "At least one symbol must be specified")
        }
        self.entries = entries
        mode = if let field = value["mode"] { try Mode(field: field) } else { .quote }
        // `??` would lose the error's type.
        let level = try Self.depth(value, "depth_level")
        depth = try Self.depth(value, "depth") ?? level ?? Self.defaultDepth
        interval = try Self.interval(value)
        broker = try Request.broker(of: value)
    }

    /// `max_rate`: messages a second of each instrument; an extension of ours that other servers pass over.
    private static func interval(_ value: JSONValue) throws(Rejection) -> TimeAmount? {
        guard let field = value["max_rate"], field != .null else { return nil }
        guard let rate = field.double, rate >= 0.01, rate <= 1_000 else {
            throw Rejection(.invalidParameters, "max_rate must be a number from 0.01 to 1000: messages a second")
        }
        return .nanoseconds(Int64(1e9 / rate))
    }

    private static func depth(_ value: JSONValue, _ key: String) throws(Rejection) -> Int? {
        // Serialisers write null for "not given", and some clients 0 when they want no book.
        guard let field = value[key], field != .null, field != "" else { return nil }
        // Forms send numbers as texts, and OpenAlgo takes both.
        let level = field.int ?? field.string.flatMap { Int($0) }
        guard level != 0 else { return nil }
        guard let depth = level, depth > 0 else {
            throw Rejection(.invalidParameters, "\(key) must be a whole number above 0")
        }
        return min(depth, Int(UInt16.max))
    }

    /// The wish that an entry stands for. `RELIANCE:20` asks for 20 levels of RELIANCE and is echoed with its suffix.
    func wish(_ written: Instrument) throws(Rejection) -> Wish {
        guard written.isPlausible else { throw .notFound(written) }
        guard let (instrument, levels) = written.suffixed else {
            return Wish(instrument: written, mode: mode, depth: depth)
        }
        return Wish(instrument: instrument, mode: mode, depth: levels, suffixed: true)
    }
}

extension Instrument {
    /// The instrument and the levels of a name like `RELIANCE:20`; nil for a name without suffix.
    fileprivate var suffixed: (instrument: Instrument, levels: Int)? {
        guard let colon = symbol.lastIndex(of: ":"), colon > symbol.startIndex,
            let levels = Self.levels(symbol[symbol.index(after: colon)...])
        else { return nil }
        return (Instrument(exchange: exchange, symbol: String(symbol[..<colon])), levels)
    }

    /// What is meant, without the levels that are asked of it.
    var withoutLevels: Instrument { suffixed?.instrument ?? self }

    private static func levels(_ suffix: Substring) -> Int? {
        guard !suffix.isEmpty, suffix.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let levels = Int(suffix),
            levels > 0
        else { return nil }
        return min(levels, Int(UInt16.max))
    }
}
