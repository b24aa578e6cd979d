import Logging
import MarketBus
import MarketData
import NIOCore
import NIOPosix

/// All broker sessions: one for each (user, broker), shared by that user's clients.
public actor SessionPool: SessionDirectory {
    public struct Configuration: Sendable {
        /// Settings given to adapters, by broker and name.
        public var adapterSettings: [String: [String: String]] = [:]
        /// `bus.external_as`: users of that broker are fed from outside while no adapter for it is loaded.
        public var externalAs: String?
        public var limits = PoolLimits()
        public init() {}
    }

    private struct Key: Hashable {
        let user: String
        let broker: String
    }

    private struct Held {
        let session: BrokerSession
        var clients: Int
        /// Ends the session after its keep-alive time.
        var ending: Task<Void, Never>?
    }

    private let registry: AdapterRegistry
    private let instruments: InstrumentRegistry
    private let bus: SharedPublisher
    private let credentials: any CredentialSource
    private let configuration: Configuration
    private let logger: Logger
    private var sessions: [Key: Held] = [:]
    private var externals: [String: ExternalSession] = [:]
    /// One thread for each broker, so that an adapter which hangs holds up no other broker.
    private var lanes: [String: MultiThreadedEventLoopGroup] = [:]
    private var counters: [String: AdapterCounters] = [:]

    public init(
        registry: AdapterRegistry, instruments: InstrumentRegistry, bus: SharedPublisher,
        credentials: any CredentialSource, configuration: Configuration, logger: Logger
    ) {
        self.registry = registry
        self.instruments = instruments
        self.bus = bus
        self.credentials = credentials
        self.configuration = configuration
        self.logger = logger
    }

    // MARK: SessionDirectory

    public nonisolated var brokers: [String] {
        registry.brokers + [ExternalSession.broker]
    }

    public func attach(user: String, broker: String) async throws -> any MarketSession {
        if broker == ExternalSession.broker { return external(as: broker) }
        let key = Key(user: user, broker: broker)
        if var held = sessions[key] {
            held.ending?.cancel()
            held.ending = nil
            held.clients += 1
            sessions[key] = held
            return held.session
        }
        let adapter: LoadedAdapter
        switch await find(broker) {
        case .success(let found): adapter = found
        case .failure(let refusal):
            if configuration.externalAs == broker { return external(as: broker) }
            logger.warning("no adapter for \(broker): \(refusal.reason)")
            throw FeedError(.broker, "Broker adapter not found")
        }
        // Looking for the file may have taken a while; another client of the user may have come first.
        if sessions[key] != nil { return try await attach(user: user, broker: broker) }
        let session = BrokerSession(
            id: bus.openSession(user: user, broker: broker), user: user, adapter: adapter, loop: lane(broker),
            environment: environment(broker))
        sessions[key] = Held(session: session, clients: 1)
        return session
    }

    public func detach(_ session: any MarketSession) async {
        let key = Key(user: session.user, broker: session.broker)
        guard var held = sessions[key], held.session === session else { return }
        held.clients -= 1
        if held.clients <= 0, let keepAlive = held.session.adapter.capabilities.timings.keepAlive {
            held.ending = Task { [weak self] in
                try? await Task.sleep(for: .milliseconds(keepAlive))
                if !Task.isCancelled { await self?.endIfIdle(key) }
            }
        }
        sessions[key] = held
    }

    // MARK: Changes

    /// The user's credentials at the broker are new: the session is rebuilt with them.
    public func credentialsChanged(user: String, broker: String) async {
        await sessions[Key(user: user, broker: broker)]?.session.credentialsChanged()
    }

    /// OpenAlgo says that the user's tokens have changed, whatever the broker.
    public func credentialsChanged(user: String) async {
        for (key, held) in sessions where key.user == user { await held.session.credentialsChanged() }
    }

    /// Ends all sessions and their threads.
    public func stop() async {
        for held in sessions.values {
            held.ending?.cancel()
            await held.session.end()
            bus.closeSession(held.session.id)
        }
        sessions.removeAll()
        for session in externals.values { bus.closeSession(session.id) }
        externals.removeAll()
        for lane in lanes.values { try? await lane.shutdownGracefully() }
        lanes.removeAll()
    }

    /// For metrics: sessions, and the adapters' counters by broker.
    public func figures() -> (sessions: Int, brokers: [String: [(name: String, value: Int)]]) {
        (sessions.count, counters.mapValues(\.snapshot))
    }

    /// Brokers whose adapter has not come back from a call, with the milliseconds that it has been in it.
    public func stuckAdapters() -> [String: Int] {
        let now = HostClock.now()
        return counters.compactMapValues { counters in
            let time = counters.timeInCall(now: now)
            return time > 1_000_000_000 ? Int(time / 1_000_000) : nil
        }
    }

    // MARK: Parts

    private func endIfIdle(_ key: Key) async {
        guard let held = sessions[key], held.clients <= 0 else { return }
        sessions[key] = nil
        await held.session.end()
        bus.closeSession(held.session.id)
        logger.info("session of \(key.user) at \(key.broker) ended: no client for its keep-alive time")
    }

    /// Probing a file that was dropped in takes a while and blocks, so it happens on a thread of its own.
    private func find(_ broker: String) async -> Result<LoadedAdapter, PluginRefusal> {
        if let adapter = registry.adapter(broker) { return .success(adapter) }
        let registry = registry
        do {
            return try await NIOThreadPool.singleton.runIfActive { registry.find(broker) }
        } catch {
            return .failure(PluginRefusal("\(error)"))
        }
    }

    private func external(as broker: String) -> ExternalSession {
        if let session = externals[broker] { return session }
        let id = bus.openSession(user: "", broker: broker, isExternal: true)
        let session = ExternalSession(id: id, broker: broker, registry: instruments)
        externals[broker] = session
        return session
    }

    private func lane(_ broker: String) -> any EventLoop {
        if let lane = lanes[broker] { return lane.next() }
        let lane = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        lanes[broker] = lane
        return lane.next()
    }

    private func environment(_ broker: String) -> SessionEnvironment {
        let counters = counters[broker] ?? AdapterCounters()
        self.counters[broker] = counters
        return SessionEnvironment(
            bus: bus, registry: instruments, credentials: credentials,
            adapterSettings: configuration.adapterSettings, counters: counters, limits: configuration.limits,
            logger: logger)
    }
}
