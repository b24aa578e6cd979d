import CFeedhostABI
import Logging
import MarketBus
import MarketData
import NIOCore
import Synchronization

/// The pool: which link an instrument goes to, and the links' lives.
extension BrokerSession {
    var firstMarketKind: Int {
        adapter.capabilities.links.firstIndex { kind in Mode.allCases.contains { kind.carries($0) } } ?? 0
    }

    /// The kind of connection that carries a demand.
    func kind(for demand: References.Demand) throws(FeedError) -> Int {
        let kinds = adapter.capabilities.links
        let fitting = kinds.firstIndex {
            $0.carries(demand.mode) && ($0.maxDepth == 0 || demand.depth <= $0.maxDepth)
        }
        guard let kind = fitting ?? kinds.firstIndex(where: { $0.carries(demand.mode) }) else {
            throw FeedError(.subscription, "\(broker) has no connection that carries mode \(demand.mode.label)")
        }
        return kind
    }

    /// True when the link takes the instrument with that demand, whether it has it already or not.
    func hasRoom(_ link: Link, for demand: References.Demand, of handle: UInt32) -> Bool {
        if link.lines[handle] == nil, link.lines.count >= environment.limits.quota(of: link.kind) { return false }
        guard link.kind.deepQuota > 0, demand.isDeep, link.lines[handle]?.wanted.isDeep != true else { return true }
        return link.lines.values.count { $0.wanted.isDeep } < link.kind.deepQuota
    }

    /// A link with room for the instrument, opened if the broker allows another.
    func linkWithRoom(kind: Int, for demand: References.Demand, of handle: UInt32) throws(FeedError) -> Link {
        let open = links.values.filter { $0.kindIndex == kind }.sorted { $0.index < $1.index }
        if let link = open.first(where: { hasRoom($0, for: demand, of: handle) }) { return link }
        let quota = environment.limits.quota(of: adapter.capabilities.links[kind])
        let allowed = environment.limits.connections(of: adapter.capabilities, kind: kind)
        if environment.limits.isSingle(adapter.capabilities), open.isEmpty, !links.isEmpty {
            throw FeedError(
                .capacity,
                "\(broker) allows one connection, and it does not carry mode \(demand.mode.label) with \(demand.depth) levels"
            )
        }
        guard open.count < allowed else {
            if let link = open.first(where: { $0.lines.count < quota }) {
                throw FeedError(
                    .capacity,
                    "\(broker) takes \(link.kind.deepQuota) instruments with more than 5 levels on each of \(allowed) connections, and all \(link.kind.deepQuota * allowed) are in use; unsubscribe some first"
                )
            }
            throw FeedError(
                .capacity,
                "\(broker) takes \(quota) instruments on each of \(allowed) connections, and all \(quota * allowed) are in use; unsubscribe some first"
            )
        }
        return try openLink(kind: kind)
    }

    @discardableResult
    func openLink(kind: Int) throws(FeedError) -> Link {
        guard !isEnded else { throw BrokerSession.over }
        let index = nextLink
        nextLink += 1
        let feed = environment.bus.makeFeed(session: id)
        let context = HostContext(
            feed: feed, settings: environment.settings(adapter), logger: logger, counters: environment.counters
        ) { [weak self, loop] report in
            // From any thread, and possibly from inside a call of ours: always later, on the lane.
            loop.execute { [weak self] in self?.assumeIsolated { $0.take(report, from: index) } }
        }
        do {
            let link = try Link(
                index: index, kindIndex: kind, connectionIndex: links.values.count { $0.kindIndex == kind },
                adapter: adapter, context: context, loop: loop)
            links[index] = link
            connect(link)
            startWatchdog()
            return link
        } catch {
            environment.bus.removeFeed(feed)
            throw error as? FeedError ?? FeedError(.brokerInit, "\(error)")
        }
    }

    func take(_ report: HostContext.Report, from index: Int) {
        guard let link = links[index] else { return }
        switch report {
        case .connection(let event): take(event, from: link)
        case .subscriptions(let request, let results): take(results, request: request, from: link)
        }
    }

    /// Ends every link. The session is over.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        isClosed.store(true, ordering: .releasing)
        watchdog?.cancel()
        for link in links.values { close(link) }
        links.removeAll()
        placement.removeAll()
        resumeReady(BrokerSession.over)
    }

    private func close(_ link: Link) {
        for handle in link.lines.keys {
            link.lines[handle]?.resume(.failure(FeedError(.subscription, BrokerSession.over.message)))
        }
        link.destroy()
        environment.bus.removeFeed(link.context.feed)
    }

    // MARK: Watchdog

    /// Reconnects a link that is silent for longer than its broker ever is.
    private func startWatchdog() {
        guard watchdog == nil else { return }
        watchdog = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { [weak self] _ in
            self?.assumeIsolated { $0.checkSilence() }
        }
    }

    private func checkSilence() {
        let now = WallClock.now()
        let timings = adapter.capabilities.timings
        let limit = MarketHours.areOpen(at: now) ? timings.dataSilence : timings.offHoursSilence
        for link in links.values where link.isConnected && !link.lines.isEmpty {
            let heard = max(link.lastHeard, link.readySince)
            let silence = now > heard ? (now - heard) / 1_000_000 : 0
            warnOfSilence(link, silence)
            guard let limit, silence > UInt64(limit) else { continue }
            logger.warning("no data for \(silence) ms, connecting again")
            link.disconnect()
            retry(
                link,
                after: ConnectionEvent(
                    state: Int(FH_CONN_DISCONNECTED), reason: Int(FH_WHY_NETWORK), generation: link.generation,
                    message: "silent for more than \(limit) ms"))
        }
    }

    /// Says once for each silence that a link with subscriptions brings nothing (`WS_STALE_TICK_WARN_SECONDS`).
    private func warnOfSilence(_ link: Link, _ silence: UInt64) {
        guard let limit = environment.limits.staleTickWarning else { return }
        let isSilent = silence > UInt64(limit.components.seconds) * 1_000
        if isSilent, !link.isKnownSilent {
            logger.warning("no tick for \(silence / 1_000) s on a connection with \(link.lines.count) instruments")
        }
        link.isKnownSilent = isSilent
    }
}
