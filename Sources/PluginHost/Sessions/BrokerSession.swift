import CFeedhostABI
import Logging
import MarketBus
import MarketData
import NIOCore

/// One user's feed from one broker: its links, and what the user's clients want of it.
///
/// The actor runs on its lane, an event loop of the broker's own, so that everything that touches an adapter instance
/// (control calls, socket events, timers) happens there, one after another.
actor BrokerSession: MarketSession {
    nonisolated let id: UInt32
    nonisolated let user: String
    nonisolated let broker: String
    nonisolated let modes: Set<Mode>
    nonisolated let loop: any EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

    let adapter: LoadedAdapter
    let environment: SessionEnvironment
    var logger: Logger
    var links: [Int: Link] = [:]
    var nextLink = 0
    /// Which link serves an instrument.
    var placement: [UInt32: Int] = [:]
    var references = References()
    var nextRequest: UInt64 = 0
    var readyWaiters: [CheckedContinuation<FeedError?, Never>] = []
    var watchdog: RepeatedTask?
    var isEnded = false

    init(
        id: UInt32, user: String, adapter: LoadedAdapter, loop: any EventLoop, environment: SessionEnvironment
    ) {
        self.id = id
        self.user = user
        broker = adapter.broker
        modes = adapter.capabilities.modes
        self.adapter = adapter
        self.loop = loop
        self.environment = environment
        logger = environment.logger
        logger[metadataKey: "broker"] = "\(adapter.broker)"
        logger[metadataKey: "user"] = "\(user)"
    }

    // MARK: MarketSession

    /// Time given to the broker before a client's login is answered without it. The SDKs give up after 5 s.
    private static let patience = Duration.milliseconds(2_800)
    /// Beyond the time that the broker has for its answer: what the adapter itself may take.
    private static let slack = Duration.seconds(5)

    nonisolated func ready() async throws {
        let refusal = await withDeadline(BrokerSession.patience, orElse: nil) { await self.refusal() }
        if let refusal { throw refusal }
    }

    /// Waits for the first connection. Nil: it stands.
    private func refusal() async -> FeedError? {
        do {
            if links.isEmpty { try openLink(kind: firstMarketKind) }
        } catch {
            return error
        }
        guard let link = links.values.min(by: { $0.index < $1.index }) else { return nil }
        switch link.state {
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

    func status() -> String {
        if links.values.contains(where: \.isConnected) { return "connected" }
        let isTrying = links.values.contains {
            switch $0.state {
            case .connecting, .backingOff: true
            default: false
            }
        }
        return isTrying ? "connecting" : "disconnected"
    }

    nonisolated func subscribe(_ wishes: [Wish]) async -> [WishOutcome] {
        let silence = FeedError(.subscription, "the adapter for \(broker) does not answer; see the host's log")
        let limit = Duration.milliseconds(adapter.capabilities.timings.ackTimeout) + BrokerSession.slack
        return await withDeadline(limit, orElse: wishes.map { WishOutcome(wish: $0, result: .failure(silence)) }) {
            await self.take(wishes)
        }
    }

    private func take(_ wishes: [Wish]) async -> [WishOutcome] {
        // First everything is noted and sent in batches; then the answers are awaited.
        let noted = wishes.map { wish in (wish, Result { () throws(FeedError) in try note(wish) }) }
        for link in links.values { flush(link) }
        var outcomes: [WishOutcome] = []
        outcomes.reserveCapacity(wishes.count)
        for (wish, result) in noted {
            switch result {
            case .failure(let error): outcomes.append(WishOutcome(wish: wish, result: .failure(error)))
            case .success(let key): outcomes.append(WishOutcome(wish: wish, result: await settle(key, wish)))
            }
        }
        return outcomes
    }

    func unsubscribe(_ routes: [RouteKey]) {
        let released = routes.filter { references.remove($0) }
        for instrument in Set(released.map(\.instrument)) { adjust(instrument) }
        for link in links.values { flush(link) }
    }

    // MARK: Demand

    /// Checks a wish against what the adapter can do and counts it.
    private func note(_ wish: Wish) throws(FeedError) -> RouteKey {
        let capabilities = adapter.capabilities
        let instrument = wish.instrument
        guard capabilities.exchanges.contains(instrument.exchange) else {
            throw FeedError(
                .symbolNotFound,
                "Symbol \(instrument.symbol) not found for exchange \(instrument.exchange): \(broker) offers "
                    + capabilities.exchanges.joined(separator: ", "))
        }
        guard modes.contains(wish.mode) else {
            throw FeedError(.subscription, "\(broker) does not offer mode \(wish.mode.label)")
        }
        guard !isEnded, let handle = environment.registry.handle(of: instrument) else {
            throw FeedError(.subscription, "Symbol \(instrument.symbol) cannot be subscribed now")
        }
        let depth = capabilities.depth(wish: wish.depth, exchange: instrument.exchange)
        let key = RouteKey(
            session: id, instrument: handle, mode: wish.mode, depth: UInt16(clamping: depth), suffixed: wish.suffixed)
        references.add(key)
        do {
            try place(handle, instrument)
        } catch {
            references.remove(key)
            throw error
        }
        return key
    }

    /// Brings an instrument's line in step with what is wanted of it.
    private func place(_ handle: UInt32, _ instrument: Instrument) throws(FeedError) {
        guard let demand = references.demand(handle) else { return }
        let kind = try kind(for: demand)
        if let index = placement[handle], let link = links[index] {
            if link.kindIndex == kind {
                update(link, handle, demand)
                return
            }
            // A deeper book may need a connection of another kind.
            drop(handle, from: link)
        }
        let link = try linkWithRoom(kind: kind)
        link.lines[handle] = Line(handle: handle, instrument: instrument, wanted: demand)
        placement[handle] = link.index
        environment.bus.track(session: id, instrument: handle)
        link.markDirty(handle)
    }

    private func update(_ link: Link, _ handle: UInt32, _ demand: References.Demand) {
        guard let line = link.lines[handle] else { return }
        var isAsked = false
        if case .asked = line.phase { isAsked = true }
        // What was refused before is asked for again when somebody new wants it.
        guard line.wanted != demand || (!isAsked && line.served?.covers(demand) != true) else { return }
        link.lines[handle]?.wanted = demand
        link.markDirty(handle)
    }

    /// After references were given back: a lower demand is passed on, none ends the line.
    func adjust(_ handle: UInt32) {
        guard let index = placement[handle], let link = links[index], let line = link.lines[handle] else { return }
        if references.demand(handle) != nil {
            // A line that fitted before fits with less.
            try? place(handle, line.instrument)
        } else {
            drop(handle, from: link)
            environment.bus.untrack(session: id, instrument: handle)
        }
    }

    private func drop(_ handle: UInt32, from link: Link) {
        placement[handle] = nil
        guard var line = link.lines.removeValue(forKey: handle) else { return }
        line.resume(.failure(FeedError(.subscription, "unsubscribed before the broker had answered")))
        link.dirty.removeAll { $0 == handle }
        var wasSent = line.served != nil
        if case .asked = line.phase { wasSent = true }
        if link.isConnected, wasSent {
            nextRequest += 1
            link.unsubscribe(request: nextRequest, [line])
        }
    }

    /// Waits for what the broker says to a wish.
    private func settle(_ key: RouteKey, _ wish: Wish) async -> Result<WishOutcome.Grant, FeedError> {
        let demand = References.Demand(mode: key.mode, depth: Int(key.depth))
        let policy = adapter.capabilities.depth(wish: wish.depth, exchange: wish.instrument.exchange)
        guard let index = placement[key.instrument], let link = links[index], let line = link.lines[key.instrument]
        else {
            references.remove(key)
            return .failure(FeedError(.subscription, "unsubscribed before the broker had answered"))
        }
        var served = line.served
        if case .failed(let error) = link.state {
            references.remove(key)
            adjust(key.instrument)
            return .failure(error)
        }
        if !link.isConnected {
            return .success(WishOutcome.Grant(route: key, depth: policy, pending: true))
        }
        if served?.covers(demand) != true, let refusal = line.refusal {
            references.remove(key)
            adjust(key.instrument)
            return .failure(refusal)
        }
        if served?.covers(demand) != true {
            let answer = await withCheckedContinuation { link.lines[key.instrument]?.waiters.append($0) }
            switch answer {
            case .success(let granted): served = granted
            case .failure(let error):
                if error.code == .pending {
                    return .success(WishOutcome.Grant(route: key, depth: policy, pending: true))
                }
                references.remove(key)
                adjust(key.instrument)
                return .failure(error)
            }
        }
        guard let served, served.mode >= key.mode else {
            references.remove(key)
            adjust(key.instrument)
            return .failure(
                FeedError(
                    .subscription, "\(broker) grants \(wish.instrument) in a lower mode than \(key.mode.label) only"))
        }
        guard key.mode == .depth, served.depth < Int(key.depth) else {
            return .success(WishOutcome.Grant(route: key, depth: policy, pending: false))
        }
        // The broker gives fewer levels than it declares: the route is what it gives.
        references.remove(key)
        let actual = RouteKey(
            session: id, instrument: key.instrument, mode: .depth, depth: UInt16(clamping: served.depth),
            suffixed: key.suffixed)
        references.add(actual)
        return .success(WishOutcome.Grant(route: actual, depth: served.depth, pending: false))
    }
}
