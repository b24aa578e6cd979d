import Logging
import MarketBus
import MarketData
import NIOCore

/// One event loop's share of the proxy: its clients, their routes, and its own end of the inner bus. Confined to its loop.
final class Shard {
    /// Messages of one drain. After each, every client that got something gets one write, and the loop looks after its
    /// sockets before the next.
    static let batch = 512

    let loop: any EventLoop
    let configuration: ProxyConfiguration
    let counters: ProxyCounters
    let routes: RouteTable
    let inflater: Inflater
    let deflater: Deflater
    let log: LimitedLog
    var orders = OrderListeners()

    private let port: any BusPort
    private let gate: LoopGate
    private var signal: (@Sendable () -> Void)?
    private var clients: [ObjectIdentifier: Client] = [:]
    private var handshakes: [ObjectIdentifier: HandshakeHandler] = [:]
    private var tasks = 0
    /// When ``pace()`` is called again.
    private var paced: NIODeadline?
    private var revokedKeys: Set<Int64> = []
    private var drained: EventLoopPromise<Void>?

    /// - Throws: When there is no memory for zlib's tables.
    init(
        loop: any EventLoop, port: any BusPort, configuration: ProxyConfiguration, counters: ProxyCounters
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
    }

    // MARK: Bus

    /// - Parameter signal: Makes the loop call ``drainBus()`` soon; any thread.
    func listen(signal: @escaping @Sendable () -> Void) throws {
        self.signal = signal
        try port.wake(signal)
    }

    /// Fans out one batch of what has come in.
    func drainBus() {
        guard let signal else { return }
        let count = port.drain(limit: Self.batch) { event in
            switch event {
            case .data(let key, let snapshot, let payload): routes.receive(key, snapshot: snapshot, payload)
            case .order(let user, let payload): orders.relay(user: user, payload: payload)
            }
        }
        routes.flush()
        pace()
        if count < Self.batch {
            port.rearm()
        } else {
            signal()
        }
    }

    // MARK: Clients

    var clientCount: Int { clients.count }
    var isDraining: Bool { drained != nil }

    func add(_ client: Client) {
        clients[ObjectIdentifier(client)] = client
        counters.clients.add()
    }

    func remove(_ client: Client) {
        guard clients.removeValue(forKey: ObjectIdentifier(client)) != nil else { return }
        counters.clients.add(-1)
        checkDrained()
    }

    func add(_ handshake: HandshakeHandler) { handshakes[ObjectIdentifier(handshake)] = handshake }
    func remove(_ handshake: HandshakeHandler) { handshakes[ObjectIdentifier(handshake)] = nil }

    /// Looks at all deadlines.
    func sweep() {
        let now = loop.now
        for handshake in handshakes.values { handshake.sweep(now) }
        for client in clients.values { client.sweep(now) }
        routes.settle()
        routes.trim()
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

    func apply(_ change: AccountChange) {
        switch change.kind {
        case .keyRevoked(let keyID):
            revokedKeys.insert(keyID)
            closeClients(.keyRevoked) { $0.keyID == keyID }
        case .userChanged(let user):
            closeClients(.accountChanged) { $0.user == user }
        case .credentialsChanged:
            // The session is rebuilt under its clients, who need not notice.
            break
        }
    }

    private func closeClients(_ reason: CloseReason, _ condition: (Account) -> Bool) {
        for client in clients.values {
            if let account = client.standing.account, condition(account) { client.close(reason) }
        }
    }

    /// Whether the key has been revoked while its check was under way.
    func isRevoked(_ account: Account) -> Bool { revokedKeys.contains(account.keyID) }

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

    /// Takes a client off its streams, in as many turns as needed.
    func leave(_ subscriptions: [Subscription], then finish: @escaping () -> Void = {}) {
        leave(Departure(subscriptions), then: finish)
    }

    private func leave(_ departure: Departure, then finish: @escaping () -> Void) {
        for subscription in departure.next(Self.streamsPerTurn) { routes.leave(subscription) }
        if departure.isOver {
            finish()
        } else {
            nextTurn { self.leave(departure, then: finish) }
        }
    }

    /// Subscriptions on their way out. A box, so that each turn also frees what it took: the memory of 25,000 streams at
    /// once would be a stall of its own.
    private final class Departure {
        private var subscriptions: [Subscription]

        init(_ subscriptions: [Subscription]) { self.subscriptions = subscriptions }

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
        for client in clients.values { client.close(.goingAway) }
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
        for client in clients.values { client.drop() }
        signal = nil
        routes.close()
        port.close()
    }
}
