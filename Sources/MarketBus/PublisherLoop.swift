import CFeedhostABI
import CZeroMQ
import MarketData
import TickRing

/// What the publisher's thread owns: the sockets, the last values, and who wants what. Only that thread touches it.
final class PublisherLoop {
    let publicSocket: ZMQSocket
    let fanIn: ZMQSocket
    let counters: BusCounters
    let instruments: InstrumentHandles
    let events: BusEvents

    var books: [UInt32: SessionBook] = [:]
    var interest: PublicInterest
    /// Who reads the inner bus: the shards of the proxy.
    var readers = Readers()
    var external: ExternalTopics
    let publicUsers: [String: String]

    /// Commands that wait for their turn.
    var pending = PendingCommands()
    /// Feeds by their slots.
    private var feeds = [[(feed: TickFeed, book: SessionBook)]](repeating: [], count: ReadyFeeds.slots)
    /// Slots with something in a ring.
    private var waiting = ReadyFeeds.Waiting()
    /// How often a feed was looked at.
    private(set) var looks = 0

    private var writer = JSONWriter()
    let message = ZMQMessage()
    let payload = ZMQMessage()
    /// When a bad message from outside was last spoken of, in seconds.
    var lastComplaint = 0
    /// Sockets whose connections were ended and that listen no more, with their endpoints; empty but for a moment.
    var unbound: [(socket: ZMQSocket, endpoint: String)] = []

    init(sockets: BusSockets, configuration: BusConfiguration, instruments: InstrumentHandles, counters: BusCounters) {
        publicSocket = sockets.publicSocket
        fanIn = sockets.fanIn
        events = configuration.events
        let exchanges = Exchanges.known.union(configuration.exchanges)
        interest = PublicInterest(brokers: configuration.brokers, exchanges: exchanges)
        publicUsers = configuration.publicUsers
        external = ExternalTopics(exchanges: Exchanges(exchanges))
        self.instruments = instruments
        self.counters = counters
    }

    // MARK: Ticks

    /// Records of one feed, and of all feeds, before the publisher looks at everything else and passes on what it has made.
    private static let recordsPerFeed = 256
    private static let recordsPerTurn = 1024

    /// Handles what waits in the rings that have something, each in its turn.
    /// - Parameter lateCommands: Reads commands that came in since; a tick may be seen before the command that
    ///   announced its instrument.
    /// - Returns: Records handled, and feeds that were looked at in vain.
    func drainFeeds(_ ready: ReadyFeeds, lateCommands: () -> Void) -> Int {
        ready.take(into: &waiting)
        var total = 0
        while total < Self.recordsPerTurn, let slot = waiting.next() {
            var isMore = false
            for index in feeds[slot].indices {
                // A late command may take one away.
                guard index < feeds[slot].count else { break }
                let (feed, book) = feeds[slot][index]
                looks += 1
                let count = drain(feed, book, lateCommands)
                if count == Self.recordsPerFeed { isMore = true }
                total += max(count, 1)
            }
            if isMore { waiting.insert(slot) }
        }
        return total
    }

    private func drain(_ feed: TickFeed, _ book: SessionBook, _ lateCommands: () -> Void) -> Int {
        feed.ring.drain(limit: Self.recordsPerFeed) { header, body in
            if book.entries[header.instrument] == nil { lateCommands() }
            guard let entry = book.entries[header.instrument] else {
                counters.strayTicks.count()
                return
            }
            if !entry.accepts(feed.id) {
                // It may come from the connection that such a command is about to name.
                lateCommands()
                guard entry.accepts(feed.id) else { return counters.supersededTicks.count() }
            }
            handle(header, body, entry, book)
        }
    }

    func add(_ feed: TickFeed) {
        guard let book = books[feed.session] else { return }
        book.feeds.append(feed)
        feeds[feed.slot].append((feed, book))
        // What it has written before this was seen belongs to nobody yet.
        waiting.insert(feed.slot)
    }

    func remove(_ feed: TickFeed) {
        books[feed.session]?.feeds.removeAll { $0 === feed }
        feeds[feed.slot].removeAll { $0.feed === feed }
    }

    private func handle(
        _ header: TickRing.Header, _ body: UnsafeRawPointer, _ entry: InstrumentEntry, _ book: SessionBook
    ) {
        counters.ticks.count()
        switch TickRing.record(header, body) {
        case .raw(let json, let mode): publishRaw(json, mode, entry, book)
        case .tick(let tick, let bids, let asks): publish(tick, bids, asks, entry, book)
        }
    }

    @inline(__always)
    private func publish(
        _ tick: UnsafePointer<fh_tick>, _ bids: UnsafeBufferPointer<fh_level>, _ asks: UnsafeBufferPointer<fh_level>,
        _ entry: InstrumentEntry, _ book: SessionBook
    ) {
        guard let carried = entry.state.merge(tick.pointee, bids: bids, asks: asks) else {
            counters.badTicks.count()
            return
        }
        if book.isPublic { entry.refresh(interest, broker: book.broker) }
        for index in entry.topics.indices
        where entry.topics[index].isWanted && carried & TickFields.content(of: entry.topics[index].key.mode) != 0 {
            publish(entry, index)
        }
    }

    /// Encodes one topic and sends it to whoever wants it.
    private func publish(_ entry: InstrumentEntry, _ index: Int) {
        guard entry.isPublishable(entry.topics[index].key.mode) else { return }
        entry.topics[index].seq += 1
        entry.topics[index].encoder.encode(entry.state, seq: entry.topics[index].seq, into: &writer)
        counters.encoded.count()
        writer.withBytes { send($0, entry.topics[index]) }
    }

    private func publishRaw(
        _ json: UnsafeRawBufferPointer, _ mode: UInt32, _ entry: InstrumentEntry, _ book: SessionBook
    ) {
        guard let mode = Mode(rawValue: UInt8(truncatingIfNeeded: mode)), JSONCheck.isObject(json) else {
            counters.badTicks.count()
            return
        }
        entry.raw[mode] = Array(json)
        if book.isPublic { entry.refresh(interest, broker: book.broker) }
        for topic in entry.topics where topic.isWanted && topic.key.mode == mode { send(json, topic) }
    }

    private func send(_ payload: UnsafeRawBufferPointer, _ topic: TopicState) {
        topic.forEachReader { sendInner(payload, topic.key, reader: $0, snapshot: false) }
        if let long = topic.publicLong { sendPublic(long, payload) }
        if let legacy = topic.publicLegacy { sendPublic(legacy, payload) }
    }

    private func sendPublic(_ topic: [UInt8], _ payload: UnsafeRawBufferPointer) {
        guard topic.withUnsafeBytes({ publicSocket.send($0, more: true) }), publicSocket.send(payload) else {
            counters.publicDrops.count()
            return
        }
        counters.publicMessages.count()
    }

    func sendInner(_ payload: UnsafeRawBufferPointer, _ key: RouteKey, reader: UInt8, snapshot: Bool) {
        if !readers.send(payload, key, reader: reader, isSnapshot: snapshot) { counters.innerDrops.count() }
    }

    // MARK: Interest

    /// Nobody reads there any more.
    func close(reader: UInt8) {
        readers.close(reader)
        external.forget(reader: reader)
        let bit = UInt64(1) << UInt64(reader)
        for book in books.values {
            for entry in book.entries.values {
                for index in entry.topics.indices { entry.topics[index].readers &= ~bit }
                entry.topics.removeAll { !$0.isWanted }
            }
        }
    }

    /// A reader wants a route, and is answered with the last value, or no longer wants it.
    func setInterest(_ key: RouteKey, reader: UInt8, _ wants: Bool) {
        guard let book = books[key.session] else { return }
        if book.isExternal {
            external.setInterest(key, reader: reader, wants, instruments: instruments) {
                sendInner($0, key, reader: reader, snapshot: true)
            }
            return
        }
        guard let entry = book.entries[key.instrument] ?? (wants ? track(key.instrument, in: book) : nil) else {
            return
        }
        let index = entry.topic(key)
        let bit = UInt64(1) << UInt64(reader)
        guard wants else {
            entry.topics[index].readers &= ~bit
            if !entry.topics[index].isWanted { entry.topics.remove(at: index) }
            return
        }
        entry.topics[index].readers |= bit
        // A topic that is new, such as a deeper book, may be wanted on the public socket too.
        entry.publicEpoch = -1
        if let json = entry.raw[key.mode] {
            json.withUnsafeBytes { sendInner($0, key, reader: reader, snapshot: true) }
        } else if entry.isPublishable(key.mode) {
            entry.topics[index].encoder.encode(entry.state, seq: entry.topics[index].seq, into: &writer)
            writer.withBytes { sendInner($0, key, reader: reader, snapshot: true) }
        }
    }

    /// Reads what subscribers on the public socket want.
    /// - Parameter limit: Messages; thousands may come at once, and ticks must not wait for all of them.
    func readPublicInterest(limit: Int = 128) -> Int {
        var count = 0
        while count < limit, publicSocket.receive(into: message) {
            count += 1
            let bytes = message.bytes
            guard let first = bytes.first, bytes.count <= 512 else { continue }
            let prefix = Array(bytes.dropFirst())
            // The option acts on the subscriber whose message was read last.
            for mapped in interest.mapped(prefix) {
                mapped.withUnsafeBytes { publicSocket.set(first == 1 ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE, $0) }
            }
            if first == 1 { interest.add(prefix) } else { interest.remove(prefix) }
        }
        return count
    }

    // MARK: Sessions

    /// From now on ticks of the instrument are taken.
    @discardableResult
    func track(_ handle: UInt32, in book: SessionBook) -> InstrumentEntry? {
        if let entry = book.entries[handle] { return entry }
        guard let instrument = instruments[handle] else { return nil }
        let entry = InstrumentEntry(instrument: instrument, handle: handle, session: book.id)
        book.entries[handle] = entry
        return entry
    }

    /// Forgets the last value: the broker no longer sends, so it would only grow old. Interest stays.
    func untrack(_ handle: UInt32, in book: SessionBook) {
        guard let old = book.entries.removeValue(forKey: handle) else { return }
        let wanted = old.topics.filter { $0.readers != 0 }
        guard !wanted.isEmpty, let entry = track(handle, in: book) else { return }
        entry.take(from: old.source)
        entry.topics = wanted
        entry.publicEpoch = -1
        // The next tick is the first after a pause, not a value that some client still waits for.
        book.entries[handle] = wanted.contains { $0.isWanted } ? entry : nil
    }

    func open(_ book: SessionBook) {
        books[book.id] = book
        if !book.isExternal { interest.add(broker: book.broker) }
        if book.isExternal { external.sessions.insert(book.id) }
        choosePublic(broker: book.broker)
    }

    func close(_ id: UInt32) {
        guard let book = books.removeValue(forKey: id) else { return }
        for feed in book.feeds {
            feed.close()
            feeds[feed.slot].removeAll { $0.feed === feed }
        }
        external.close(session: id)
        choosePublic(broker: book.broker)
    }

    /// The public topics have no user in them, so one session speaks for each broker: the configured user's, else the
    /// only one there is; with several and no choice, none.
    private func choosePublic(broker: String) {
        let candidates = books.values.filter { $0.broker == broker && !$0.isExternal }
        let chosen: SessionBook?
        if let user = publicUsers[broker] {
            chosen = candidates.first { $0.user == user }
        } else {
            chosen = candidates.count == 1 ? candidates.first : nil
            if candidates.count == 2 { events.publicAmbiguous(broker) }
        }
        for book in candidates where book.isPublic != (book === chosen) {
            book.isPublic = book === chosen
            for entry in book.entries.values { entry.withdrawFromPublic() }
        }
    }
}
