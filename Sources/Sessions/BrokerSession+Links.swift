import Adapters
import CFeedhostABI
import Logging
import MarketData
import NIOCore
import Synchronization
import Transport

/// The pool: which link an instrument goes to, and the links' lives.
extension BrokerSession {
    var firstMarketKind: Int {
        adapter.capabilities.links.firstIndex(where: \.carriesMarketData) ?? 0
    }

    var marketLinks: [Link] { links.values.filter(\.kind.carriesMarketData) }

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
        let present = link.lines[handle]
        let then = present?.held?.union(demand) ?? demand
        let more = link.kind.units(of: then) - (present.map { link.kind.units(of: $0.most) } ?? 0)
        // What needs no more than before may stay on a connection that is full.
        if more > 0, link.units + more > environment.limits.quota(of: link.kind) { return false }
        guard link.kind.deepQuota > 0, demand.isDeep, present?.most.isDeep != true else { return true }
        return link.deepCount < link.kind.deepQuota
    }

    /// A link with room for the instrument, opened if the broker allows another.
    func linkWithRoom(kind: Int, for demand: References.Demand, of handle: UInt32) throws(FeedError) -> Link {
        let open = links.values.filter { $0.kindIndex == kind }
        // First the one that has the instrument already and was to give it away.
        func order(_ link: Link) -> (Int, Int) { (link.lines[handle] == nil ? link.preference : -1, link.index) }
        if let link = open.filter({ hasRoom($0, for: demand, of: handle) }).min(by: { order($0) < order($1) }) {
            link.isRetiring = false
            return link
        }
        let declared = adapter.capabilities.links[kind]
        let isExclusive = adapter.capabilities.flags.contains(.exclusiveSession)
        if environment.limits.isSingle(adapter.capabilities), open.isEmpty,
            !(isExclusive ? links.isEmpty : marketLinks.isEmpty)
        {
            throw FeedError(
                .capacity,
                "\(broker) allows one connection, and it does not carry mode \(demand.mode.label) with \(demand.depth) levels"
            )
        }
        guard open.count < environment.limits.connections(of: adapter.capabilities, kind: kind) else {
            let quota = environment.limits.quota(of: declared)
            let isFull = open.allSatisfy { $0.units + declared.units(of: demand) > quota }
            throw .full(broker, open, isFull ? quota : nil)
        }
        return try openLink(kind: kind)
    }

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
        for link in links.values { close(link) }
        links.removeAll()
        placement.removeAll()
        departures.removeAll()
        resumeReady(BrokerSession.over)
    }

    func close(_ link: Link) {
        for line in link.lines.values where !line.isDeparting {
            resume(line.handle, .failure(FeedError(.subscription, BrokerSession.over.message)))
        }
        link.destroy()
        environment.bus.remove(link.context.feed)
    }
}

extension FeedError {
    /// - Parameter quota: Units that each connection takes; nil when it is the deep books that are too many.
    fileprivate static func full(_ broker: String, _ open: [Link], _ quota: Int?) -> FeedError {
        let kind = open.first?.kind
        let isPaired = kind?.unit == .instrumentAndMode
        let what =
            quota == nil
            ? "instruments with more than 5 levels" : isPaired ? "(instrument, mode) pairs" : "instruments"
        let used = open.reduce(0) { $0 + (quota == nil ? $1.deepCount : $1.units) }
        let number = (quota ?? kind?.deepQuota ?? 0).grouped
        return FeedError(
            .capacity,
            "\(broker): \(open.count) connection\(open.count == 1 ? "" : "s") of \(number) \(what) \(open.count == 1 ? "is" : "are") full (\(used.grouped) subscribed); unsubscribe some first"
        )
    }
}

extension Int {
    /// With thousands set apart: `9,000`.
    fileprivate var grouped: String {
        let digits = String(self)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }
}
