import MarketData

/// One topic of one instrument in one session: who wants it, and how many messages it has had.
struct TopicState {
    let key: RouteKey
    let encoder: TickEncoder
    /// A bit for each reader that wants it.
    var readers: UInt64 = 0
    /// Messages so far; clients see it as `seq`.
    var seq: UInt64 = 0
    /// The topics on the public socket, nil where nobody wants that form.
    var publicLong: [UInt8]?
    var publicLegacy: [UInt8]?

    init(key: RouteKey, instrument: Instrument) {
        self.key = key
        encoder = TickEncoder(
            instrument: instrument, mode: key.mode, depth: key.depth, symbol: key.name(of: instrument))
    }

    var isWanted: Bool { readers != 0 || publicLong != nil || publicLegacy != nil }

    /// Calls `body` for each reader that wants it.
    @inline(__always)
    func forEachReader(_ body: (UInt8) -> Void) {
        var rest = readers
        while rest != 0 {
            body(UInt8(truncatingIfNeeded: rest.trailingZeroBitCount))
            rest &= rest &- 1
        }
    }
}
