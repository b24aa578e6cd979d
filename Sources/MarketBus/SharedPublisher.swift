import CZeroMQ
import MarketData
import Synchronization

/// The bus: one thread that owns the shared publisher and its sockets. Any thread may call it.
///
/// Ticks come in through ``TickFeed`` rings and from publishers outside; they leave on the inner bus for the proxy's
/// readers (``makeReader(_:)``) and on the public socket.
public final class SharedPublisher: SessionPublisher {
    /// Where publishers from outside connect, e.g. `tcp://127.0.0.1:5555`.
    public let endpoint: String
    /// Where subscribers from outside connect.
    public let publisherEndpoint: String
    /// True when the default port was taken and the next free one is used.
    public let didMove: Bool
    public let counters = BusCounters()

    enum Command: Sendable {
        case open(id: UInt32, user: String, broker: String, isExternal: Bool)
        case close(UInt32)
        case addFeed(TickFeed)
        case removeFeed(TickFeed)
        case track(session: UInt32, handle: UInt32, source: UInt64?)
        case untrack(session: UInt32, handle: UInt32)
        case forgetBook(session: UInt32, handle: UInt32, before: UInt64)
        case order(OrderHeader, json: [UInt8])
        case openReader(ReaderQueue)
        case closeReader(UInt8)
        case interest(RouteKey, reader: UInt8, isWanted: Bool)
        /// Somebody has lost a permission: all connections from outside are made anew.
        case reconnect
        case stop
    }

    private let context: ZMQContext
    /// Nil without keys.
    private let curveGuard: CurveGuard?
    private let wake: WakeUp
    private let ready = ReadyFeeds()
    private let nextFeed = Atomic<UInt64>(0)
    private let commands = Mutex<[Command]>([])
    private let ringCapacity: Int
    private let thread = Mutex<BusThread?>(nil)

    /// Binds the sockets and starts the thread.
    /// - Throws: ``BusBindError`` when a port is taken, ``ZMQError`` for the rest.
    public init(_ configuration: BusConfiguration, instruments: InstrumentHandles) throws {
        context = try ZMQContext()
        wake = try WakeUp()
        ringCapacity = configuration.ringCapacity
        curveGuard = try configuration.curve.map { [context, counters] in
            try CurveGuard($0, context: context, counters: counters, events: configuration.events)
        }
        let sockets = try BusSockets(configuration, context: context)
        endpoint = sockets.endpoint
        publisherEndpoint = sockets.publisherEndpoint
        didMove = sockets.didMove
        try curveGuard?.watch([sockets.fanIn, sockets.publicSocket])
        // The loop is made here and used by the thread alone from then on.
        nonisolated(unsafe) let loop = PublisherLoop(
            sockets: sockets, configuration: configuration, instruments: instruments, counters: counters)
        let started = try BusThread(name: "fh-publisher") { [self] in run(loop) }
        thread.withLock { $0 = started }
        do {
            try curveGuard?.start { [weak self] in self?.send(.reconnect) }
        } catch {
            stop()
            throw error
        }
    }

    /// Ends the thread and releases the ports. Readers must be closed before.
    public func stop() {
        curveGuard?.stop()
        send(.stop)
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    // MARK: Sessions

    public func openSession(_ id: UInt32, user: String, broker: String, isExternal: Bool) {
        send(.open(id: id, user: user, broker: broker, isExternal: isExternal))
    }

    public func closeSession(_ id: UInt32) { send(.close(id)) }

    /// A ring for one connection.
    public func makeFeed(session: UInt32) -> TickFeed {
        let number = nextFeed.wrappingAdd(1, ordering: .relaxed).newValue
        let feed = TickFeed(
            number, session: session, wake: wake, ready: ready, counters: counters, capacity: ringCapacity)
        send(.addFeed(feed))
        return feed
    }

    public func makeSink(session: UInt32) -> any TickSink { makeFeed(session: session) }

    public func remove(_ sink: any TickSink) {
        // Of another publisher's it has none.
        guard let feed = sink as? TickFeed else { return }
        feed.close()
        send(.removeFeed(feed))
    }

    public func track(session: UInt32, instrument: UInt32, source: (any TickSink)? = nil) {
        send(.track(session: session, handle: instrument, source: source?.id))
    }

    public func untrack(session: UInt32, instrument: UInt32) { send(.untrack(session: session, handle: instrument)) }

    public func forgetBook(session: UInt32, instrument: UInt32, before time: UInt64) {
        send(.forgetBook(session: session, handle: instrument, before: time))
    }

    public func publishOrder(_ header: OrderHeader, json: [UInt8]) { send(.order(header, json: json)) }

    // MARK: Readers

    /// A reader's end of the inner bus.
    /// - Parameter reader: 0 to 63, each once.
    public func makeReader(_ reader: UInt8) -> any BusReader {
        precondition(reader < 64, "interest is kept in a mask of 64 readers")
        let queue = ReaderQueue(number: reader)
        send(.openReader(queue))
        return InnerReader(
            queue,
            setInterest: { [self] keys, isWanted in
                send(keys.lazy.map { .interest($0, reader: reader, isWanted: isWanted) })
            },
            onClose: { [self] in send(.closeReader(reader)) })
    }

    // MARK: The thread

    private func send(_ command: Command) { send(CollectionOfOne(command)) }

    /// The thread is woken once for all of them.
    private func send(_ new: some Collection<Command>) {
        commands.withLock { $0 += new }
        wake.signal()
    }

    private func run(_ loop: PublisherLoop) {
        var running = true
        func work() -> Int {
            var count = 0
            func take() { if !takeCommands(loop) { running = false } }
            count += takeSome(loop, &running)
            if !loop.unbound.isEmpty { loop.bindAgain() }
            count += loop.readPublicInterest()
            count += loop.drainFeeds(ready, lateCommands: take)
            count += loop.readFanIn(limit: 256)
            loop.readers.flush()
            return count
        }
        while running {
            if work() > 0 { continue }
            wake.willSleep()
            // Work that came in between the last look and the flag would otherwise wait for the next signal.
            // That look may be the one that takes the order to stop.
            if running, work() == 0, running { poll(loop) }
            wake.didWake()
        }
    }

    /// Sleeps until a socket or a producer has something.
    private func poll(_ loop: PublisherLoop) {
        guard commands.withLock({ $0.isEmpty }) else { return }
        let sockets = (loop.publicSocket.pointer, loop.fanIn.pointer)
        func item(_ socket: UnsafeMutableRawPointer?, _ descriptor: Int32 = 0) -> zmq_pollitem_t {
            zmq_pollitem_t(socket: socket, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0)
        }
        withUnsafeTemporaryAllocation(of: zmq_pollitem_t.self, capacity: 3) { items in
            items.initializeElement(at: 0, to: item(sockets.0))
            items.initializeElement(at: 1, to: item(sockets.1))
            items.initializeElement(at: 2, to: item(nil, wake.descriptor))
            zmq_poll(items.baseAddress, Int32(items.count), loop.unbound.isEmpty ? -1 : 20)
        }
    }

    /// Commands of one turn: a client that subscribes to thousands of symbols must not hold up ticks.
    private static let commandsPerTurn = 256

    /// Carries out the next few commands.
    /// - Returns: How many there were.
    private func takeSome(_ loop: PublisherLoop, _ running: inout Bool) -> Int {
        fetchCommands(loop)
        var count = 0
        while count < SharedPublisher.commandsPerTurn, let command = loop.pending.next() {
            count += 1
            if !carryOut(command, loop) { running = false }
        }
        return count
    }

    /// Carries out all commands.
    /// - Returns: False when the thread is to end.
    private func takeCommands(_ loop: PublisherLoop) -> Bool {
        fetchCommands(loop)
        var isToGoOn = true
        while let command = loop.pending.next() {
            if !carryOut(command, loop) { isToGoOn = false }
        }
        return isToGoOn
    }

    private func fetchCommands(_ loop: PublisherLoop) {
        commands.withLock { commands in
            // Nothing is allocated for the usual case, that there are none.
            guard !commands.isEmpty else { return }
            loop.pending.append(commands)
            commands = []
        }
    }

    /// - Returns: False when the thread is to end.
    private func carryOut(_ command: Command, _ loop: PublisherLoop) -> Bool {
        switch command {
        case .open(let id, let user, let broker, let isExternal):
            loop.open(SessionBook(id: id, user: user, broker: broker, isExternal: isExternal))
        case .close(let id): loop.close(id)
        case .addFeed(let feed): loop.add(feed)
        case .removeFeed(let feed): loop.remove(feed)
        case .track(let session, let handle, let source):
            if let book = loop.books[session] { loop.track(handle, in: book)?.take(from: source) }
        case .untrack(let session, let handle):
            if let book = loop.books[session] { loop.untrack(handle, in: book) }
        case .forgetBook(let session, let handle, let time):
            loop.books[session]?.entries[handle]?.state.forgetBook(before: time)
        case .order(let header, let json): json.withUnsafeBytes { loop.relayOrder(header, $0) }
        case .openReader(let queue): loop.readers.open(queue)
        case .closeReader(let reader): loop.close(reader: reader)
        case .interest(let key, let reader, let isWanted): loop.setInterest(key, reader: reader, isWanted)
        case .reconnect: loop.reconnectOutsiders()
        case .stop: return false
        }
        return true
    }
}
