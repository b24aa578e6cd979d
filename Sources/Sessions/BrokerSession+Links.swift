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
    func openLink(kind: Int) throws(FeedError) -> Link {
        guard !isEnded else { throw BrokerSession.over }
        let index = nextLink
        nextLink += 1
        let feed = environment.bus.makeSink(session: id)
        let settings = environment.settings(adapter)
        concealment.add(settings: settings, of: adapter.description)
        let context = HostContext(
            feed: feed, settings: settings, concealment: concealment, logger: logger, counters: environment.counters
        ) { [weak self, loop] report in
            // From any thread, and possibly from inside a call of ours: always later, on the lane.
            loop.execute { [weak self] in self?.assumeIsolated { $0.take(report, from: index) } }
        }
        do {
            let link = try Link(
                index: index, kindIndex: kind, connectionIndex: freeConnectionIndex(kind: kind), adapter: adapter,
                context: context, loop: loop, route: environment.routes[broker])
            links[index] = link
            pool.open(index, kind: kind)
            if link.kind.carriesOrders, adapter.capabilities.orderKind != nil, !link.canBringOrders {
                logger.warning("the adapter declares order updates and does not offer feedhost.orders/1")
            }
            connect(link)
            startWatchdog()
            return link
        } catch {
            environment.bus.remove(feed)
            throw error as? FeedError ?? FeedError(.brokerInit, "\(error)")
        }
    }

    /// The smallest number that no connection of the kind has: they come and go.
    private func freeConnectionIndex(kind: Int) -> Int {
        let taken = Set(links.values.filter { $0.kindIndex == kind }.map(\.connectionIndex))
        return (0...taken.count).first { !taken.contains($0) } ?? taken.count
    }

    func take(_ report: HostContext.Report, from index: Int) {
        guard let link = links[index] else { return }
        switch report {
        case .connection(let event): take(event, from: link)
        case .subscriptions(let request, let results): take(results, request: request, from: link)
        case .order(let report): take(report, from: link)
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

    func close(_ link: Link, generation: UInt64) {
        link.destroy(generation: generation)
        environment.bus.remove(link.context.feed)
    }
}
