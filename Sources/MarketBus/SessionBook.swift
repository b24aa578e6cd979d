import MarketData

/// One session as the publisher keeps it: its instruments and the rings that fill them.
final class SessionBook {
    let id: UInt32
    let user: String
    /// The broker's key; also the first segment of its public topics.
    let broker: String
    /// True when its ticks come from publishers outside and no adapter stands behind it.
    let isExternal: Bool
    var entries: [UInt32: InstrumentEntry] = [:]
    var feeds: [TickFeed] = []
    /// True for the one session that speaks for its broker on the public socket.
    var isPublic = false

    init(id: UInt32, user: String, broker: String, isExternal: Bool) {
        self.id = id
        self.user = user
        self.broker = broker
        self.isExternal = isExternal
    }
}
