import Adapters
import MarketData
import NIOCore
import Synchronization

/// Since when a connection is down, and why.
struct Down {
    /// Milliseconds since 1970, UTC.
    let since: Int
    let reason: Outage.Reason
    /// A sentence.
    let cause: String
    /// Milliseconds since 1970, UTC; nil when none is planned.
    let nextAttempt: Int?

    /// - Parameters:
    ///   - former: What it was down for already: the time counts on.
    ///   - wait: Milliseconds until the next attempt; nil when there will be none.
    init(_ former: Down?, _ reason: Outage.Reason, _ cause: String, since: Int? = nil, retryIn wait: Int64? = nil) {
        let now = WallClock.milliseconds
        self.since = former?.since ?? since ?? now
        self.reason = reason
        self.cause = cause
        nextAttempt = wait.map { now + Int(clamping: $0) }
    }
}

/// What clients are told of connections that are down, and of their return.
extension BrokerSession {
    nonisolated var trouble: SessionEvent? { presentTrouble.withLock { $0 } }

    /// A connection that is being made for long is an outage, too.
    func watchSlowConnect(_ link: BrokerLink) {
        guard link.down == nil else { return }
        let (index, generation, began) = (link.index, generation(of: link), WallClock.milliseconds)
        loop.scheduleTask(in: TimeAmount(environment.slowConnect)) { [weak self] in
            self?.assumeIsolated { session in
                guard let link = session.links[index], session.generation(of: link) == generation, link.down == nil,
                    session.isConnecting(link)
                else { return }
                link.down = Down(nil, .connecting, "the broker has not answered yet", since: began)
                session.reviewOutage()
            }
        }
    }

    /// To be called whenever a connection was lost or made.
    func reviewOutage() {
        noticeTimer?.cancel()
        noticeTimer = nil
        // Clients know already that nothing comes.
        guard !isEnded, told == nil else { return }
        let outage = presentOutage()
        let event = outage.map { notice(of: $0.outage, because: $0.cause) }
        presentTrouble.withLock { $0 = event }
        let before = notices.told
        switch notices.look(at: .now(), outage?.outage) {
        case .nothing: break
        case .tell:
            if let event { environment.events(event) }
        case .tellEnd:
            let time = before.map { " after \(max(0, WallClock.milliseconds - $0.since) / 1_000) s" } ?? ""
            tell(.connected, "\(broker) is connected again\(time), and subscriptions are restored")
        case .lookAgain(let time):
            noticeTimer = loop.scheduleTask(in: time) { [weak self] in self?.assumeIsolated { $0.reviewOutage() } }
        }
    }

    /// Once, however many connections end.
    func tellStopped(_ code: SessionEvent.Code, _ error: FeedError) {
        guard told != code else { return }
        told = code
        notices.supersede()
        tell(code, "\(broker) sends nothing now; your subscriptions are kept. \(error.message)")
    }

    func tellConnected() {
        guard told != nil, !marketLinks.contains(where: hasFailed) else { return }
        told = nil
        tell(.connected, "\(broker) is connected again, and subscriptions are restored")
    }

    private func tell(_ code: SessionEvent.Code, _ message: String) {
        let event = SessionEvent(session: id, broker: broker, code: code, message: message)
        presentTrouble.withLock { $0 = code == .connected ? nil : event }
        environment.events(event)
    }

    private func presentOutage() -> (outage: Outage, cause: String)? {
        let areOrdersWanted = orderReferences > 0
        // What only brings orders matters while somebody wants them; what is to be closed does not matter.
        let relevant = links.values.filter {
            !pool.isRetiring($0.index) && ($0.kind.carriesMarketData || areOrdersWanted)
        }
        let down = relevant.filter { $0.down != nil }
        guard let first = down.min(by: { ($0.down?.since ?? 0, $0.index) < ($1.down?.since ?? 0, $1.index) }),
            // Of several causes the one is told that people can do something about.
            let main = (down.first { $0.down?.reason == .replaced } ?? first).down
        else { return nil }
        let extent = Outage.Extent(
            reason: main.reason, connections: relevant.count, down: down.count,
            stopsOrders: areOrdersWanted && adapter.capabilities.orderKind != nil
                && !links.values.contains(where: \.bringsOrders))
        let instruments = down.reduce(0) { $0 + pool.placed(on: $1.index) }
        let outage = Outage(
            extent: extent, since: first.down?.since ?? main.since,
            nextAttempt: down.filter(isBackingOff).compactMap { $0.down?.nextAttempt }.min(), instruments: instruments)
        return (outage, main.cause)
    }

    private func notice(of outage: Outage, because cause: String) -> SessionEvent {
        let extent = outage.extent
        let isAll = extent.down == extent.connections
        let isMarketDown = marketLinks.contains { $0.down != nil }
        var what =
            isAll
            ? "\(broker) sends nothing now"
            : isMarketDown
                ? "\(extent.down) of \(extent.connections) connections to \(broker) \(extent.down == 1 ? "is" : "are") down, \(outage.instruments) instruments get nothing"
                : ""
        if !isAll, extent.stopsOrders {
            what += what.isEmpty ? "\(broker) sends no order updates now" : ", order updates stop"
        } else if what.isEmpty {
            what = "1 of \(extent.connections) connections to \(broker) is down"
        }
        let next =
            if let time = outage.nextAttempt {
                "Connecting again in \(max(1, (time - WallClock.milliseconds + 999) / 1_000)) s"
            } else if links.values.contains(where: { $0.down != nil && !hasFailed($0) }) {
                "Connecting now"
            } else {
                "It is not tried again before the credentials change"
            }
        return SessionEvent(
            session: id, broker: broker, code: .disconnected,
            message: "\(what); your subscriptions are kept. \(broker): \(cause). \(next)", outage: outage)
    }
}
