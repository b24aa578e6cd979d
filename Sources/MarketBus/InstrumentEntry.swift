import MarketData

/// One instrument of one session, as the publisher keeps it: the last value and the topics that somebody wants.
final class InstrumentEntry {
    let instrument: Instrument
    let handle: UInt32
    let session: UInt32
    var state = InstrumentState()
    var topics: [TopicState] = []
    private let isBookless: Bool
    /// The public interest that the topics were last compared with.
    var publicEpoch = -1
    /// Last raw message by mode (`feedhost.raw-publish/1`); an adapter publishes either ticks or JSON for an instrument.
    var raw: [Mode: [UInt8]] = [:]

    /// The sink of the connection that the instrument is on; nil takes ticks from all.
    private(set) var source: UInt64?
    /// The connection that it was on until now, while nothing has come from ``source`` yet.
    private var formerSource: UInt64?

    init(instrument: Instrument, handle: UInt32, session: UInt32) {
        self.instrument = instrument
        self.handle = handle
        self.session = session
        isBookless = instrument.isBookless
    }

    /// Whether there is a message to be made of the last value.
    func isPublishable(_ mode: Mode) -> Bool { state.isPublishable(mode, bookless: isBookless) }

    /// From now on ticks come from there.
    func take(from feed: UInt64?) {
        guard feed != source else { return }
        // Moved again before the new one has spoken: the one before it still serves.
        formerSource = formerSource ?? source
        source = feed
    }

    /// Whether a tick of that connection counts. Two connections may bring an instrument while it moves; once the new one
    /// has spoken, what the old one still says would turn values back.
    func accepts(_ feed: UInt64) -> Bool {
        if source == nil { return true }
        if feed == source {
            if formerSource != nil { formerSource = nil }
            return true
        }
        return feed == formerSource
    }

    /// Index of the topic, made if it does not exist.
    func topic(_ key: RouteKey) -> Int {
        if let index = topics.firstIndex(where: { $0.key == key }) { return index }
        topics.append(TopicState(key: key, instrument: instrument))
        return topics.count - 1
    }

    /// Compares the topics with what public subscribers want, when that has changed.
    func refresh(_ interest: borrowing PublicInterest, broker: String) {
        guard publicEpoch != interest.epoch else { return }
        publicEpoch = interest.epoch
        // Subscribers from outside get every mode that they ask for, whether a client of ours wants it or not.
        for mode in Mode.allCases {
            let key = RouteKey(session: session, instrument: handle, mode: mode, depth: 5)
            let wanted = interest.forms(of: Topic(broker: broker, instrument: instrument, mode: mode))
            if wanted.long != nil || wanted.legacy != nil { _ = topic(key) }
        }
        for index in topics.indices {
            let key = topics[index].key
            let symbol = key.name(of: instrument)
            // Depths other than 5 have a public topic only under the suffix that tells them apart.
            let isPublic = key.mode != .depth || key.suffix != 0 || key.depth == 5
            let topic = Topic(
                broker: broker, instrument: Instrument(exchange: instrument.exchange, symbol: symbol), mode: key.mode)
            let wanted: (long: [UInt8]?, legacy: [UInt8]?) = isPublic ? interest.forms(of: topic) : (nil, nil)
            topics[index].publicLong = wanted.long
            topics[index].publicLegacy = wanted.legacy
        }
    }

    /// Forgets public interest: another session speaks for this broker now.
    func withdrawFromPublic() {
        publicEpoch = -1
        for index in topics.indices {
            topics[index].publicLong = nil
            topics[index].publicLegacy = nil
        }
    }
}
