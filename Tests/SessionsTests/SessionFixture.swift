import CFeedhostABI
import Logging
import MarketBus
import MarketData
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Adapters
@testable import Secrets
@testable import Sessions

/// Credentials that a test changes.
final class Vault: CredentialSource {
    private let values = Mutex<[String: BrokerCredentials]>([:])
    private let refusal = Mutex<FeedError?>(nil)

    func set(_ user: String = "anna", version: UInt64, _ values: [String: String]) {
        let credentials = BrokerCredentials(version: version, values: values.mapValues { Secret($0) })
        self.values.withLock { $0[user] = credentials }
    }

    /// Gives nobody anything, until it is called with nil.
    func refuse(_ error: FeedError?) { refusal.withLock { $0 = error } }

    func credentials(user: String, broker: String) async throws -> BrokerCredentials {
        if let refusal = refusal.withLock({ $0 }) { throw refusal }
        return values.withLock { $0[user] } ?? BrokerCredentials()
    }
}

/// Log lines in a journal.
func journalLog(_ lines: Journal<String>) -> EventLog { EventLog { lines.add("\($0.level) \($0.message)") } }

/// What an adapter declares, with short times, so that a test can wait for them.
struct Declared {
    var modes: UInt32 = 7
    var flags: CapabilityFlags = []
    var exchanges = ["NSE", "NFO"]
    var depth: [String: [Int]] = ["*": [5, 20, 30]]
    var links = [Declared.link()]
    var ackTimeout: Int64 = 3_000
    var keepAlive: Int64? = 50
    var backoffBase: Int64 = 1
    var backoffMax: Int64 = 20
    var dataSilence: Int64?
    /// A broker with accounts: what it refuses may be the credentials.
    var keys = [AdapterKey(name: "access_token", kind: .secret, defaultValue: nil, help: "", required: false)]
    var settings: [AdapterKey] = []
    var orders = Capabilities.OrderStream.none
    var hasMaster = false

    static func link(
        name: String = "market", carries: UInt32 = 7, quota: Int = 0, deepQuota: Int = 0, maxLinks: Int = 1,
        maxDepth: Int = 0, batch: Int = 0, perSecond: Int = 0, unit: LinkKind.Unit = .instrument
    ) -> LinkKind {
        LinkKind(
            name: name, carries: carries, unit: unit, quota: quota, deepQuota: deepQuota, maxLinks: maxLinks,
            maxDepth: maxDepth, batch: batch, perSecond: perSecond)
    }

    func adapter(id: String, broker: String) -> LoadedAdapter {
        let timings = Timings(
            ackTimeout: ackTimeout, keepAlive: keepAlive, webSocketPing: nil, webSocketPongTimeout: 10_000,
            appHeartbeat: nil, dataSilence: dataSilence, offHoursSilence: dataSilence, backoffBase: backoffBase,
            backoffMax: backoffMax)
        let capabilities = Capabilities(
            modeBits: modes, flags: flags, orderStream: orders, exchanges: exchanges, depthLevels: depth, links: links,
            timings: timings)
        let description = BrokerDescription(
            id: id, name: "Scripted", vendor: "Tests", version: "1.0.0", url: nil, license: nil, broker: broker,
            capabilities: capabilities, configKeys: settings, credentialKeys: keys)
        return LoadedAdapter(
            description: description, table: ScriptedTable.shared.pointer, abi: ABIVersion(major: 1, minor: 0),
            path: "/scripted.so", hasMaster: hasMaster)
    }
}

/// Scripted brokers on a real bus.
final class SessionFixture: Sendable {
    private static let number = Atomic<Int>(0)

    let broker: ScriptedBroker
    let adapter: LoadedAdapter
    let vault = Vault()
    let lines = Journal<String>()
    /// What clients are told.
    let events = Journal<SessionEvent>()
    let instruments = InstrumentHandles()
    let masters = MasterDouble()
    let bus: SharedPublisher
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let limits: PoolLimits
    private let patience: Duration
    private let slowConnect: Duration
    private let instances: any InstanceMaker
    private let sessions = Mutex<[BrokerSession]>([])

    init(
        _ declared: Declared = Declared(), limits: PoolLimits = PoolLimits(), patience: Duration = .milliseconds(2_800),
        slowConnect: Duration = .seconds(60), instances: any InstanceMaker = InProcessMaker()
    ) throws {
        self.instances = instances
        self.patience = patience
        self.slowConnect = slowConnect
        let number = Self.number.wrappingAdd(1, ordering: .relaxed).newValue
        broker = ScriptedBroker("test.scripted.\(number)")
        adapter = declared.adapter(id: broker.id, broker: "scripted")
        self.limits = limits
        var configuration = BusConfiguration()
        configuration.port = .init(0, isExplicit: true)
        configuration.brokers = ["scripted"]
        configuration.ringCapacity = 1 << 16
        bus = try SharedPublisher(configuration, instruments: instruments)
    }

    var logger: Logger {
        var logger = Logger(label: "test", factory: { [lines] _ in journalLog(lines) })
        logger.logLevel = .trace
        return logger
    }

    /// A session without a pool.
    func session(
        _ user: String = "anna", settings: [String: Secret] = [:], advice: CredentialAdvice = .command
    ) -> BrokerSession {
        let session = BrokerSession(
            id: bus.openSession(user: user, broker: "scripted"), user: user, adapter: adapter, loop: group.next(),
            environment: SessionEnvironment(
                bus: bus, instruments: instruments, credentials: vault, adapterSettings: ["scripted": settings],
                counters: AdapterCounters(), limits: limits, logger: logger, instances: instances, masters: masters,
                advice: advice,
                events: { [events] in events.add($0) }, patience: patience, slowConnect: slowConnect))
        sessions.withLock { $0.append(session) }
        return session
    }

    /// Runs a test on a fresh session that is connected, and ends everything afterwards.
    static func run(
        _ declared: Declared = Declared(), limits: PoolLimits = PoolLimits(), connected: Bool = true,
        patience: Duration = .milliseconds(2_800), slowConnect: Duration = .seconds(60),
        instances: any InstanceMaker = InProcessMaker(), _ body: (SessionFixture, BrokerSession) async throws -> Void
    ) async throws {
        let fixture = try SessionFixture(
            declared, limits: limits, patience: patience, slowConnect: slowConnect, instances: instances)
        do {
            let session = fixture.session()
            if connected { try await session.ready() }
            try await body(fixture, session)
        } catch {
            await fixture.stop()
            throw error
        }
        await fixture.stop()
    }

    func stop() async {
        let sessions = sessions.withLock { $0 }
        for session in sessions { await session.end() }
        for number in 0..<broker.count { #expect(broker[number + 1]?.isDestroyed == true) }
        try? await group.shutdownGracefully()
        bus.stop()
    }

    func handle(_ symbol: String, exchange: String = "NSE") throws -> UInt32 {
        try #require(instruments.handle(of: Instrument(exchange: exchange, symbol: symbol)))
    }

    /// Waits for calls of the adapter, and until they are over: they are noted before the broker answers.
    func called(
        _ what: String, count: Int = 1, _ session: BrokerSession, at location: SourceLocation = #_sourceLocation,
        where fits: @escaping @Sendable (AdapterCall) -> Bool
    ) async throws {
        try await broker.calls.waitFor(what, count: count, at: location, where: fits)
        await session.settleDown()
    }

    /// The wishes of all `subscribe()` calls, in order.
    var sent: [[String]] { broker.calls.entries.filter(\.isSubscribe).map(\.wishes) }
}

extension Wish {
    init(_ symbol: String, _ mode: Mode = .ltp, depth: Int = 5, exchange: String = "NSE") {
        self.init(instrument: Instrument(exchange: exchange, symbol: symbol), mode: mode, depth: depth)
    }
}

extension BrokerSession {
    /// Subscribes to one; throws the refusal.
    @discardableResult
    nonisolated func subscribe(_ symbol: String, _ mode: Mode = .ltp, depth: Int = 5) async throws -> WishOutcome.Grant
    {
        try await grants([Wish(symbol, mode, depth: depth)])[0].get()
    }

    nonisolated func grants(_ wishes: [Wish]) async -> [Result<WishOutcome.Grant, FeedError>] {
        await subscribe(wishes).map(\.result)
    }

    /// Returns when the call into the adapter that is being made now is over, and everything that was reported until then
    /// has been taken.
    nonisolated func settleDown() async {
        // The lane does one thing after another: the first turn comes after the call, the second after its reports.
        for _ in 0..<2 { try? await loop.submit {}.get() }
    }

    /// Lines and what is wanted of them, as `NAME/mode/depth`.
    var wanted: [String] {
        pool.links.values.flatMap(\.lines.values).map {
            "\($0.instrument)/\($0.wanted.mode.label)/\($0.wanted.depth)"
        }.sorted()
    }

    /// What the references come to, in the same form.
    var referenced: [String] {
        references.instruments.compactMap { handle in
            guard let demand = references.demand(handle), let instrument = environment.instruments[handle] else {
                return nil
            }
            return "\(instrument)/\(demand.mode.label)/\(demand.depth)"
        }.sorted()
    }

    var linkCount: Int { links.count }
    var waiterCount: Int { readyWaiters.count + waiters.count }
}

func refusal<T>(_ result: Result<T, FeedError>) -> FeedError? {
    if case .failure(let error) = result { error } else { nil }
}
