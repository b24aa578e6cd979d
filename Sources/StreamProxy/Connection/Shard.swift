import Logging
import MarketBus
import MarketData
import NIOCore

/// One event loop's share of the proxy: its clients, their routes, and its own end of the inner bus. Confined to its loop.
final class Shard {
    /// Messages of one drain. After each, every client that got something gets one write, and the loop looks after its
    /// sockets before the next.
    static let batch = 512
    /// Messages that are taken besides while clients are served.
    static let look = 64

    let loop: any EventLoop
    let configuration: ProxyConfiguration
    let counters: ProxyCounters
    let routes: RouteTable
    let inflater: Inflater
    let deflater: Deflater
    let log: LimitedLog
    let admission: Admission
    let forwarded: ForwardedClient
    var orders = OrderListeners()

    private let port: any BusReader
    private let gate: LoopGate
    private var signal: (@Sendable () -> Void)?
    private var clients: ContiguousArray<Client> = []
    /// Where the next part of a sweep begins.
    private var swept = 0
    private var parts = 0
    private var departures: [Departure] = []
    /// Streams that may still be left in this turn, by all clients together.
    private var allowance = Shard.streamsPerTurn
    private var isAllowanceDue = false
    /// What clients had that have gone in this turn.
    private var returns: [Lease] = []
    private var handshakes: [ObjectIdentifier: any Arrival] = [:]
    private var tasks = 0
    /// When ``pace()`` is called again.
    private var paced: NIODeadline?
    /// How often users, keys or what they allow have changed.
    private(set) var changes = 0
    private var drained: EventLoopPromise<Void>?

    /// - Throws: When there is no memory for zlib's tables.
    init(
        loop: any EventLoop, port: any BusReader, configuration: ProxyConfiguration, counters: ProxyCounters,
        admission: Admission? = nil
    ) throws {
        self.loop = loop
        self.port = port
        self.configuration = configuration
        self.counters = counters
        gate = LoopGate(loop)
        inflater = try Inflater()
        deflater = try Deflater()
        routes = RouteTable(port: port, deflater: deflater, counters: counters)
        log = LimitedLog(configuration.logger)
        self.admission = admission ?? Admission(configuration.limits)
        forwarded = ForwardedClient(trusted: configuration.trustedProxies)
    }

    // MARK: Bus

    /// - Parameter signal: Makes the loop call ``drainBus()`` soon; any thread.
    func listen(signal: @escaping @Sendable () -> Void) {
        self.signal = signal
        port.wake(signal)
    }

    /// Fans out one batch of what has come in.
    func drainBus() {
        guard let signal else { return }
        var isMore = drain(Self.batch) { orders.relay($0, payload: $1) }
        var late: [(order: OrderHeader, update: ByteBuffer)] = []
        let isBehind = routes.flush {
            isMore = drain(Self.look) { late.append(($0, ByteBuffer(bytes: $1))) }
        }
        for (order, update) in late { update.withUnsafeReadableBytes { orders.relay(order, payload: $0) } }
        pace()
        if isMore || isBehind {
            signal()
        } else {
            port.rearm()
        }
    }

    /// - Returns: Whether there may be more.
    @inline(__always)
    private func drain(_ limit: Int, order: (_ header: OrderHeader, _ payload: UnsafeRawBufferPointer) -> Void) -> Bool
    {
        port.drain(limit: limit) { event in
            switch event {
            case .data(let key, let snapshot, let payload): routes.receive(key, snapshot: snapshot, payload)
            case .order(let header, let payload): order(header, payload)
            }
        } == limit
    }

    // MARK: Clients

    var clientCount: Int { clients.count }
    var isDraining: Bool { drained != nil }

    func add(_ client: Client) {
        client.place = clients.count
        clients.append(client)
        counters.clients.add()
    }

    func remove(_ client: Client) {
        guard client.place < clients.count, clients[client.place] === client else { return }
        clients.swapAt(client.place, clients.count - 1)
        clients[client.place].place = client.place
        clients.removeLast()
        counters.clients.add(-1)
        checkDrained()
    }

    func add(_ handshake: any Arrival) { handshakes[ObjectIdentifier(handshake)] = handshake }
    func remove(_ handshake: any Arrival) { handshakes[ObjectIdentifier(handshake)] = nil }

    /// A sweep is done in parts, one after the other: looking at 20,000 clients at once would be felt by all of them. Few
    /// clients are one part, so that an idle host sleeps.
    private var sweepParts: Int { min(64, 1 + clients.count / 256) }

    /// Looks at all deadlines once in every interval of the configuration, from now on.
    func startSweeping() {
        let whole = sweepParts
        let delay = TimeAmount.nanoseconds(configuration.sweepInterval.nanoseconds / Int64(whole))
        loop.assumeIsolated().scheduleTask(in: delay) {
            guard self.signal != nil else { return }
            self.sweepPart(of: whole)
            self.startSweeping()
        }
    }

    /// Looks at the deadlines of the next few clients.
    /// - Parameter whole: Parts of a sweep over all.
    func sweepPart(of whole: Int) {
        parts += 1
        let now = loop.now
        if parts >= whole {
            parts = 0
            for handshake in handshakes.values { handshake.sweep(now) }
            routes.settle()
            routes.trim()
        }
        for _ in 0..<(clients.count + whole - 1) / whole {
            if swept >= clients.count { swept = 0 }
            guard swept < clients.count else { return }
            clients[swept].sweep(now)
            swept += 1
        }
    }

    /// Sends what subscriptions with a rate of their own may get now, and comes again when the next may.
    private func pace() {
        guard let next = routes.pace(loop.now), next < paced ?? .distantFuture else { return }
        paced = next
        loop.assumeIsolated().scheduleTask(deadline: next) {
            if self.paced == next { self.paced = nil }
            self.pace()
        }
    }

    /// Tells a session's clients what has become of it.
    func announce(_ event: SessionEvent) {
        let notice = Replies.notice(event).jsonBytes
        for client in clients {
            guard let index = client.attachments.firstIndex(where: { $0.session.id == event.session }),
                client.attachments[index].tell(event)
            else { continue }
            client.send(notice)
        }
    }

    func apply(_ change: AccountChange) {
        switch change.kind {
        case .keyRevoked(let keyID):
            // Not remembered: the authenticator says whether the key counts, also when it counts again.
            changes += 1
            closeClients(.keyRevoked) { $0.keyID == keyID }
        case .userChanged(let user):
            changes += 1
            closeClients(.accountChanged) { $0.user == user }
        case .keyChanged(let keyID):
            changes += 1
            closeClients(.accountChanged) { $0.keyID == keyID }
        case .brokersChanged(let user, let brokers):
            changes += 1
            for client in clients where client.standing.owner?.user == user {
                client.learn(brokers)
                client.settleOrders()
            }
        case .credentialsChanged, .credentialsRevoked:
            // The session is rebuilt under its clients, who need not notice.
            break
        }
    }

    private func closeClients(_ reason: CloseReason, _ condition: (KeyOwner) -> Bool) {
        for client in clients {
            if let owner = client.standing.owner, condition(owner) { client.close(reason) }
        }
    }

    // MARK: Work off the loop

    /// Runs `work` as a task and `finish` with its result back on the loop.
    func perform<T: Sendable>(_ work: @escaping @Sendable () async -> T, then finish: @escaping (T) -> Void) {
        tasks += 1
        let bound = NIOLoopBound((self, finish), eventLoop: loop)
        Task { [gate] in
            let result = await work()
            gate.execute {
                let (shard, finish) = bound.value
                shard.tasks -= 1
                finish(result)
                shard.checkDrained()
            }
        }
    }

    /// Streams that clients join or leave in one turn of the loop; one request may concern 25,000.
    static let streamsPerTurn = 256

    /// Runs `body` after the loop has looked at its sockets. (`execute` would run it before: NIO polls only when no task is
    /// left.)
    func nextTurn(_ body: @escaping () -> Void) {
        tasks += 1
        loop.assumeIsolated().scheduleTask(in: .microseconds(100)) {
            self.tasks -= 1
            body()
            self.checkDrained()
        }
    }

    /// Takes a client off its streams. What all clients together leave is done in as many turns as needed: a thousand that
    /// vanish at once must not be felt by the others.
    func leave(_ subscriptions: [Subscription], then finish: @escaping () -> Void = {}) {
        guard !subscriptions.isEmpty else { return finish() }
        departures.append(Departure(subscriptions, then: finish))
        depart()
    }

    private func depart() {
        while allowance > 0, let departure = departures.first {
            for subscription in departure.next(allowance) {
                routes.leave(subscription)
                allowance -= 1
            }
            guard departure.isOver else { break }
            departures.removeFirst()
            departure.finish()
        }
        guard allowance < Self.streamsPerTurn, !isAllowanceDue else { return }
        isAllowanceDue = true
        nextTurn {
            self.isAllowanceDue = false
            self.allowance = Self.streamsPerTurn
            self.depart()
            self.routes.settle()
        }
    }

    /// Gives back what clients that have gone had of their sessions: one task a session for all that go at once.
    func giveBack(_ leases: [Lease]) {
        guard !leases.isEmpty else { return }
        if returns.isEmpty { nextTurn { self.returnLeases() } }
        returns += leases
    }

    private func returnLeases() {
        let directory = configuration.directory
        for leases in Dictionary(grouping: returns, by: \.session.id).values {
            perform({ await leases.release(directory) }, then: {})
        }
        returns = []
    }

    /// Subscriptions on their way out. A box, so that each turn also frees what it took: the memory of 25,000 streams at
    /// once would be a stall of its own.
    private final class Departure {
        let finish: () -> Void
        private var subscriptions: [Subscription]

        init(_ subscriptions: [Subscription], then finish: @escaping () -> Void) {
            self.subscriptions = subscriptions
            self.finish = finish
        }

        var isOver: Bool { subscriptions.isEmpty }

        func next(_ count: Int) -> [Subscription] {
            let taken = Array(subscriptions.suffix(count))
            subscriptions.removeLast(taken.count)
            return taken
        }
    }

    // MARK: End

    /// Says goodbye to everybody; new connections are dropped.
    /// - Returns: Done when nobody is connected and every session has been given back, or when that takes too long.
    func drain() -> EventLoopFuture<Void> {
        if let drained { return drained.futureResult }
        let promise = loop.makePromise(of: Void.self)
        drained = promise
        for handshake in handshakes.values { handshake.drop() }
        for client in clients { client.close(.goingAway) }
        // One second more than a client may take to answer, for sessions to be given back.
        loop.scheduleTask(in: configuration.closeTimeout + .seconds(1)) { promise.succeed() }
        checkDrained()
        return promise.futureResult
    }

    private func checkDrained() {
        if clients.isEmpty && tasks == 0 { drained?.succeed() }
    }

    /// Drops who is left, and closes the bus.
    func end() {
        gate.close()
        for client in clients { client.drop() }
        returnLeases()
        signal = nil
        routes.close()
        port.close()
    }
}
