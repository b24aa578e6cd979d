import Adapters
import CFeedhostABI
import Logging
import MarketData
import NIOCore
import Synchronization
import Transport

/// The links' lives.
extension BrokerSession {
    @discardableResult
    func openLink(kind: Int) throws(FeedError) -> BrokerLink {
        guard !isEnded else { throw BrokerSession.over }
        let index = nextLink
        nextLink += 1
        let feed = environment.bus.makeSink(session: id)
        let link = BrokerLink(
            index: index, kindIndex: kind, connectionIndex: freeConnectionIndex(kind: kind),
            capabilities: adapter.capabilities, feed: feed)
        do throws(FeedError) {
            try makeInstance(of: link)
        } catch {
            environment.bus.remove(feed)
            throw error
        }
        links[index] = link
        pool.open(index, kind: kind)
        connect(link)
        startWatchdog()
        return link
    }

    func makeInstance(of link: BrokerLink) throws(FeedError) {
        let settings = environment.settings(adapter)
        concealment.add(settings: settings, of: adapter.description)
        link.life += 1
        link.isMade = false
        let (index, life) = (link.index, link.life)
        link.instance = try environment.instances.make(
            InstanceOrder(
                adapter: adapter, kind: link.kindIndex, connectionIndex: link.connectionIndex, feed: link.feed,
                settings: settings, concealment: concealment, logger: logger, counters: environment.counters,
                loop: loop, route: environment.routes[broker]
            ) { [weak self, loop] report in
                // From any thread, and possibly from inside a call of ours: always later, on the lane.
                loop.execute { [weak self] in self?.assumeIsolated { $0.take(report, from: index, life: life) } }
            })
    }

    /// The smallest number that no connection of the kind has: they come and go.
    private func freeConnectionIndex(kind: Int) -> Int {
        let taken = Set(links.values.filter { $0.kindIndex == kind }.map(\.connectionIndex))
        return (0...taken.count).first { !taken.contains($0) } ?? taken.count
    }

    private func take(_ report: InstanceReport, from index: Int, life: Int) {
        guard let link = links[index], link.life == life else { return }
        switch report {
        case .made(let abilities): made(link, abilities)
        case .ended(let error): ended(link, error)
        case .answer(let call, let status): take(status, of: call, from: link)
        case .connection(let event): take(event, from: link)
        case .subscriptions(let request, let results): take(results, request: request, from: link)
        case .order(let report): take(report, from: link)
        }
    }

    private func made(_ link: BrokerLink, _ abilities: InstanceAbilities) {
        link.isMade = true
        if link.kind.carriesOrders, adapter.capabilities.orderKind != nil, !abilities.carriesOrders {
            logger.warning("the adapter declares order updates and does not offer feedhost.orders/1")
        }
    }

    /// The next connect makes another instance. One that could not even be made is not tried again before something changes.
    private func ended(_ link: BrokerLink, _ error: FeedError) {
        link.instance = nil
        guard link.isMade else { return fail(link, error) }
        guard isConnecting(link) || isConnected(link) else { return }
        retry(
            link,
            after: ConnectionEvent(
                state: Int(FH_CONN_DISCONNECTED), generation: generation(of: link), message: error.message,
                isWhole: true))
    }

    private func take(_ status: fh_status, of call: InstanceCall, from link: BrokerLink) {
        switch call {
        case .startOrders(let request): return ordersAnswered(link, status, request: request)
        case _ where status == FH_OK: return
        case .connect(let generation): connectRefused(link, status, generation: generation)
        case .subscribe(let request): subscribeRefused(link, status, request: request)
        case .unsubscribe(_, let count):
            logger.warning("unsubscribe of \(count) instruments: \(StatusWords.of(status))")
        case .stopOrders: logger.warning("order updates cannot be stopped: \(StatusWords.of(status))")
        }
    }

    /// Ends every link. The session is over.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        isClosed.store(true, ordering: .releasing)
        watchdog?.cancel()
        surplusTimer?.cancel()
        noticeTimer?.cancel()
        credentialTimer?.cancel()
        let generations = links.keys.map { ($0, pool.generation($0)) }
        pool.end(FeedError(.subscription, BrokerSession.over.message))
        act()
        for (index, generation) in generations { if let link = links[index] { close(link, generation: generation) } }
        links.removeAll()
        resumeReady(BrokerSession.over)
    }

    func close(_ link: BrokerLink, generation: UInt64) {
        link.cancelTimers()
        link.instance?.end(generation: generation)
        environment.bus.remove(link.feed)
    }
}
