import Adapters
import CFeedhostABI
import Logging
import MarketData
import NIOCore
import Secrets
import Synchronization

/// One user's feed from one broker: its links, and what the user's clients want of it.
///
/// The actor runs on its lane, an event loop of the broker's own, so that everything that touches an adapter instance
/// (control calls, socket events, timers) happens there, one after another.
///
/// What clients call is not isolated and has a deadline: an adapter that does not come back from a call holds the lane,
/// and nobody who asks may be held with it.
actor BrokerSession: MarketSession {
    nonisolated let id: UInt32
    nonisolated let user: String
    nonisolated let broker: String
    nonisolated let modes: Set<Mode>
    nonisolated let loop: any EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }
    /// True when the session is over: its lane may be gone, and what is sent there would never be answered.
    nonisolated let isClosed = Atomic<Bool>(false)

    let adapter: LoadedAdapter
    let environment: SessionEnvironment
    var logger: Logger
    var links: [Int: BrokerLink] = [:]
    var nextLink = 0
    /// What is wanted of the links, and what they have.
    var pool: Pool
    /// What its connections' adapters are lent, and were.
    let concealment: Concealment
    /// Who waits for the broker's answer. They always wait for the connection in ``placement``.
    var waiters = Waiters<Suspended>()
    /// Clients that want order updates. Below 0 for a moment when a client's end overtakes its beginning.
    var orderReferences = 0
    var orderMemory = OrderMemory()
    var surplusTimer: Scheduled<Void>?
    /// Reads the credentials again, when they could not be read after a change.
    var credentialTimer: Scheduled<Void>?
    var credentialBackoff = Backoff(base: 500, longest: 30_000)
    /// Whether the log says that the store cannot be read, until it can.
    var isStoreTroubleSaid = false
    var isFlushScheduled = false
    var nextRequest: UInt64 = 0
    var readyWaiters: [CheckedContinuation<FeedError?, Never>] = []
    var watchdog: RepeatedTask?
    var isEnded = false
    /// Lines about refused symbols: clients may ask for as many as they like.
    var refusalLines = LogBudget()
    /// Credentials that the broker has refused for good, by the kind of connection: no other one tries them again.
    var refusedCredentials: [Int: (fingerprint: Int, error: FeedError)] = [:]
    /// What clients were told of the session's end, until they are told that it is back.
    var told: SessionEvent.Code?
    /// What clients are told of outages.
    var notices = OutageNotices()
    var noticeTimer: Scheduled<Void>?
    /// What a client that comes now has to know.
    nonisolated let presentTrouble = Mutex<SessionEvent?>(nil)

    init(
        id: UInt32, user: String, adapter: LoadedAdapter, loop: any EventLoop, environment: SessionEnvironment
    ) {
        self.id = id
        self.user = user
        broker = adapter.broker
        modes = adapter.capabilities.modes
        pool = Pool(broker: adapter.broker, capabilities: adapter.capabilities, limits: environment.limits)
        self.adapter = adapter
        concealment = Concealment(shared: adapter.concealment)
        self.loop = loop
        self.environment = environment
        logger = environment.logger
        logger[metadataKey: "broker"] = "\(adapter.broker)"
        logger[metadataKey: "user"] = "\(user)"
    }

    // MARK: MarketSession

    /// Beyond the time that the broker has for its answer: what the adapter itself may take.
    static let slack = Duration.seconds(4)
    /// Beyond the time that a client has for its answer, before the adapter counts as stuck.
    private static let grace = Duration.milliseconds(500)
    /// How long a subscription waits for its turn on a link that is paced; then it is pending.
    private static let pacingPatience = TimeAmount.seconds(3)

    static let over = FeedError(.broker, "the session has ended")

    nonisolated func ready() async throws {
        guard !isClosed.load(ordering: .acquiring) else { throw BrokerSession.over }
        let refusal = await withDeadline(environment.patience, orElse: nil) { await self.refusal() }
        if let refusal { throw refusal }
    }

    /// Waits for the first connection. Nil: it stands.
    private func refusal() async -> FeedError? {
        do {
            if marketLinks.isEmpty { try openLink(kind: pool.firstMarketKind) }
        } catch {
            return error
        }
        guard let link = marketLinks.first else { return nil }
        // Whoever logs in again has another one made, in the place of one that could not be.
        if link.instance == nil, hasFailed(link) { connect(link) }
        switch state(of: link) {
        case .ready: return nil
        case .failed(let error): return error
        default: return await withCheckedContinuation { readyWaiters.append($0) }
        }
    }

    /// Lets everybody who waits for the first connection go on.
    func resumeReady(_ error: FeedError?) {
        let waiters = readyWaiters
        readyWaiters.removeAll()
        for waiter in waiters { waiter.resume(returning: error) }
    }

    nonisolated func status() async -> String {
        guard !isClosed.load(ordering: .acquiring) else { return "disconnected" }
        return await withDeadline(.seconds(1), orElse: "disconnected") { await self.state() }
    }

    private func state() -> String {
        if marketLinks.contains(where: isConnected) { return "connected" }
        let isTrying = marketLinks.contains { isConnecting($0) || isBackingOff($0) }
        return isTrying ? "connecting" : "disconnected"
    }

    nonisolated func subscribe(_ wishes: [Wish], within time: Duration) async -> [WishOutcome] {
        func refusing(_ error: FeedError) -> [WishOutcome] {
            wishes.map { WishOutcome(wish: $0, result: .failure(error)) }
        }
        guard !isClosed.load(ordering: .acquiring) else { return refusing(BrokerSession.over) }
        let silence = FeedError(.subscription, "the adapter for \(broker) does not answer; see the host's log")
        let limit = min(
            .milliseconds(adapter.capabilities.timings.ackTimeout) + BrokerSession.slack,
            time + BrokerSession.grace)
        var hints = BrokerSession.mostHints
        let checked = wishes.map(literal).map { ($0, refusal(of: $0, hints: &hints)) }
        return await withDeadline(
            limit, orElse: refusing(silence),
            late: { outcomes in
                // The client was told that it has nothing, so nobody else will give these references back.
                await self.release(outcomes.compactMap { try? $0.result.get().route })
            }
        ) {
            await self.take(checked, within: time)
        }
    }

    private func take(_ wishes: [(Wish, FeedError?)], within time: Duration) async -> [WishOutcome] {
        // First everything is noted and sent in batches; then the answers are awaited.
        let noted = wishes.map { wish, refusal in
            (wish, refusal.map { .failure($0) } ?? Result { () throws(FeedError) in try note(wish) })
        }
        flushAll()
        let now = NIODeadline.now()
        let patience = Patience(
            sending: now + min(BrokerSession.pacingPatience, TimeAmount(time)), answer: now + TimeAmount(time))
        let handles = noted.compactMap { try? $0.1.get().instrument }
        if links.values.contains(where: { $0.pacing != nil && pool.hasUnsent(on: $0.index) }) {
            loop.scheduleTask(deadline: patience.sending) { [weak self] in
                self?.assumeIsolated { $0.releaseUnsent(handles) }
            }
        }
        let timer = loop.scheduleTask(deadline: patience.answer) { [weak self] in
            self?.assumeIsolated { $0.releaseUnanswered(handles) }
        }
        defer { timer.cancel() }
        var outcomes: [WishOutcome] = []
        outcomes.reserveCapacity(wishes.count)
        for (wish, result) in noted {
            switch result {
            case .failure(let error): outcomes.append(WishOutcome(wish: wish, result: .failure(error)))
            case .success(let key):
                outcomes.append(WishOutcome(wish: wish, result: await settle(key, wish, until: patience)))
            }
        }
        return outcomes
    }

    /// Lets go on who waits for instruments that the broker's pace has not let out yet: they are pending.
    private func releaseUnsent(_ handles: [UInt32]) {
        for handle in handles where pool.line(handle)?.isDirty == true { resume(handle, .failure(.queued)) }
    }

    /// Lets go on who has waited for the broker's answer as long as a client may: they are pending, and what the broker has
    /// confirmed is told in time.
    private func releaseUnanswered(_ handles: [UInt32]) {
        let now = NIODeadline.now()
        for handle in handles { resumeOverdue(handle, now) }
    }

    /// Order does not matter to counted references, so what comes after the deadline is as good as what comes before.
    nonisolated func unsubscribe(_ routes: [RouteKey]) async {
        guard !isClosed.load(ordering: .acquiring) else { return }
        await withDeadline(BrokerSession.slack, orElse: ()) { await self.release(routes) }
    }

    private func release(_ routes: [RouteKey]) {
        let released = routes.filter { pool.remove($0) }
        for instrument in Set(released.map(\.instrument)).sorted() { adjust(instrument) }
        flushAll()
    }
}
