import Adapters
import Logging
import MarketData
import NIOCore
import NIOPosix
import Secrets
import Synchronization
import Transport

/// Where a pool gets its adapters from.
protocol AdapterSource: Sendable {
    var brokers: [String] { get }
    /// One that is loaded.
    func adapter(_ broker: String) -> LoadedAdapter?
    /// Also looks for one; blocks.
    func find(_ broker: String) -> Result<LoadedAdapter, PluginRefusal>
}

extension AdapterRegistry: AdapterSource {}

/// All broker sessions: one for each (user, broker), shared by that user's clients.
public actor SessionPool: SessionDirectory, SampleSource {
    public struct Configuration: Sendable {
        /// Settings given to adapters, by broker and name.
        public var adapterSettings: [String: [String: Secret]] = [:]
        /// `bus.external_as`: users of that broker are fed from outside while no adapter for it is loaded.
        public var externalAs: String?
        public var limits = PoolLimits()
        /// How connections leave this machine.
        public var routes = OutboundRoutes()
        /// What messages tell users whose credentials are refused.
        public var advice = CredentialAdvice.command
        public init() {}
    }

    private struct Key: Hashable {
        let user: String
        let broker: String
    }

    private struct Held {
        let session: BrokerSession
        var clients: Int
        /// Rises with every client, so that a keep-alive time which ran out in that moment ends nothing.
        var attachments = 1
        /// Ends the session after its keep-alive time.
        var ending: Task<Void, Never>?
    }

    /// What clients are to be told of their sessions; for one reader. Ends with ``stop()``.
    public nonisolated let events: AsyncStream<SessionEvent>

    private let told: AsyncStream<SessionEvent>.Continuation
    private let registry: any AdapterSource
    private let instruments: InstrumentHandles
    private let masters: any InstrumentDirectory
    private let bus: any SessionPublisher
    private let credentials: any CredentialSource
    private let configuration: Configuration
    private let logger: Logger
    private var sessions: [Key: Held] = [:]
    private var externals: [String: ExternalSession] = [:]
    /// One thread for each broker, so that an adapter which hangs holds up no other broker.
    private var lanes: [String: MultiThreadedEventLoopGroup] = [:]
    private var counters: [String: AdapterCounters] = [:]
    private var isStopped = false
    /// Sessions that look at their credentials; true when they have changed again meanwhile.
    private var renewals: [Key: Bool] = [:]
    /// Lines about adapters that are not there.
    private var missing = LogBudget()

    /// Time that an adapter has for ending a session, or for taking new credentials; then it is left behind.
    private static let patience = Duration.seconds(5)

    /// - Parameters:
    ///   - instruments: Gives every instrument its handle.
    ///   - masters: The brokers' instrument masters, for adapters that want the broker's tokens.
    public init(
        registry: AdapterRegistry, instruments: InstrumentHandles, masters: any InstrumentDirectory = NoInstruments(),
        bus: any SessionPublisher, credentials: any CredentialSource, configuration: Configuration, logger: Logger
    ) {
        self.init(
            adapters: registry, instruments: instruments, masters: masters, bus: bus, credentials: credentials,
            configuration: configuration, logger: logger)
    }

    init(
        adapters: any AdapterSource, instruments: InstrumentHandles, masters: any InstrumentDirectory,
        bus: any SessionPublisher, credentials: any CredentialSource, configuration: Configuration, logger: Logger
    ) {
        registry = adapters
        self.instruments = instruments
        self.masters = masters
        self.bus = bus
        self.credentials = credentials
        self.configuration = configuration
        self.logger = logger
        (events, told) = AsyncStream.makeStream()
    }

    // MARK: SessionDirectory

    public nonisolated var brokers: [String] {
        registry.brokers + [ExternalSession.broker]
    }

    public func attach(user: String, broker: String) async throws -> any MarketSession {
        guard !isStopped else { throw FeedError(.broker, "the host is shutting down") }
        if broker == ExternalSession.broker { return external(as: broker) }
        let key = Key(user: user, broker: broker)
        if var held = sessions[key] {
            held.ending?.cancel()
            held.ending = nil
            held.clients += 1
            held.attachments += 1
            sessions[key] = held
            return held.session
        }
        let adapter: LoadedAdapter
        switch await find(broker) {
        case .success(let found): adapter = found
        case .failure(let refusal):
            guard !isStopped else { throw FeedError(.broker, "the host is shutting down") }
            if configuration.externalAs == broker { return external(as: broker) }
            // Clients that ask again and again are not a line each.
            if let suppressed = missing.take(now: Uptime.now()) {
                let others = LogBudget.remark(suppressed)
                logger.warning("no adapter for \(broker): \(refusal.reason)\(others)")
            }
            throw FeedError(.broker, "Broker adapter not found")
        }
        // Looking for the file may have taken a while; another client of the user, or the end, may have come first.
        if isStopped || sessions[key] != nil { return try await attach(user: user, broker: broker) }
        let session = BrokerSession(
            id: bus.openSession(user: user, broker: broker), user: user, adapter: adapter, loop: lane(broker),
            environment: environment(broker))
        sessions[key] = Held(session: session, clients: 1)
        return session
    }

    public func detach(_ session: any MarketSession) async {
        let key = Key(user: session.user, broker: session.broker)
        guard var held = sessions[key], held.session === session else { return }
        held.clients = max(0, held.clients - 1)
        if held.clients == 0, let keepAlive = held.session.adapter.capabilities.timings.keepAlive {
            held.ending?.cancel()
            held.ending = Task { [weak self, attachments = held.attachments] in
                try? await Task.sleep(for: .milliseconds(keepAlive))
                if !Task.isCancelled { await self?.endIfIdle(key, attachments, session) }
            }
        }
        sessions[key] = held
    }

    // MARK: Changes

    /// The user's credentials at the broker are new: the session is rebuilt with them.
    ///
    /// Returns at once. Each session has a task of its own, so that one whose adapter does not come back holds up no other,
    /// and never more than one, however often its credentials change.
    public func credentialsChanged(user: String, broker: String) {
        let key = Key(user: user, broker: broker)
        guard !isStopped, sessions[key] != nil else { return }
        guard renewals[key] == nil else { return renewals[key] = true }
        renewals[key] = false
        Task { await renew(key) }
    }

    /// OpenAlgo says that the user's tokens have changed, whatever the broker. Returns at once.
    public func credentialsChanged(user: String) {
        for key in sessions.keys where key.user == user { credentialsChanged(user: user, broker: key.broker) }
    }

    private func renew(_ key: Key) async {
        repeat {
            renewals[key] = false
            guard let session = sessions[key]?.session else { break }
            await withDeadline(SessionPool.patience, orElse: ()) { await session.credentialsChanged() }
        } while renewals[key] == true
        renewals[key] = nil
    }

    /// Ends all sessions and their threads. What an adapter holds up for too long is left behind: the process ends.
    public func stop() async {
        isStopped = true
        told.finish()
        let ending = sessions.values.map { held in
            held.ending?.cancel()
            return held.session
        }
        sessions.removeAll()
        await withTaskGroup(of: Void.self) { group in
            for session in ending {
                group.addTask { await withDeadline(SessionPool.patience, orElse: ()) { await session.end() } }
            }
        }
        for session in ending {
            // Also where the adapter has not come back: nothing is sent to its lane any more.
            session.isClosed.store(true, ordering: .releasing)
            bus.closeSession(session.id)
        }
        for session in externals.values { bus.closeSession(session.id) }
        externals.removeAll()
        let threads = lanes.values
        lanes.removeAll()
        await withTaskGroup(of: Void.self) { group in
            for thread in threads {
                group.addTask {
                    await withDeadline(SessionPool.patience, orElse: ()) { try? await thread.shutdownGracefully() }
                }
            }
        }
    }

    package func samples() -> [Sample] {
        [Sample.gauge("feedhost_sessions", sessions.count, "Broker sessions, one for each user at a broker.")]
            + counters.sorted { $0.key < $1.key }.flatMap { $0.value.samples(of: $0.key) }
    }

    /// Brokers whose adapter has not come back from a call, with the milliseconds that it has been in it.
    public func stuckAdapters() -> [String: Int] {
        let now = Uptime.now()
        return counters.compactMapValues { counters in
            let time = counters.timeInCall(now: now)
            return time > 1_000_000_000 ? Int(time / 1_000_000) : nil
        }
    }

    // MARK: Parts

    private func endIfIdle(_ key: Key, _ attachments: Int, _ session: any MarketSession) async {
        guard let held = sessions[key], held.session === session, held.clients == 0, held.attachments == attachments
        else { return }
        sessions[key] = nil
        // An adapter that does not come back is left behind, as at the host's end; its clients have gone.
        let hasEnded = await withDeadline(SessionPool.patience, orElse: false) {
            await held.session.end()
            return true
        }
        held.session.isClosed.store(true, ordering: .releasing)
        bus.closeSession(held.session.id)
        guard hasEnded else {
            logger.warning(
                "the adapter for \(key.broker) has not ended the session of \(key.user) within \(SessionPool.patience.components.seconds) s; it is left behind"
            )
            return
        }
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
        let session = ExternalSession(id: id, broker: broker, instruments: instruments)
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
            bus: bus, instruments: instruments, credentials: credentials,
            adapterSettings: configuration.adapterSettings, counters: counters, limits: configuration.limits,
            logger: logger, routes: configuration.routes, masters: masters, advice: configuration.advice,
            events: { [told] in _ = told.yield($0) })
    }
}
