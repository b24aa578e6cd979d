import Adapters
import CFeedhostABI
import Logging
import MarketData
import NIOCore
import Secrets
import Synchronization
import Transport

/// Connecting, losing the connection, and connecting again with the credentials of that moment.
extension BrokerSession {
    /// A connect that brings no outcome in this time has failed.
    private static let connectTimeout = TimeAmount.seconds(20)
    /// Milliseconds before the next attempt when the account has too many connections.
    private static let limitPause: Int64 = 10_000

    /// Connects with fresh credentials. Reusing those of the start is what makes feeds mute every morning.
    func connect(_ link: Link) {
        link.timer?.cancel()
        link.generation += 1
        link.state = .connecting
        environment.counters.connects.wrappingAdd(1, ordering: .relaxed)
        let (index, generation) = (link.index, link.generation)
        link.timer = loop.scheduleTask(in: BrokerSession.connectTimeout) { [weak self] in
            self?.assumeIsolated { $0.connectTimedOut(link: index, generation: generation) }
        }
        watchSlowConnect(link)
        Task { await connect(link: index, generation: generation) }
    }

    private func connectTimedOut(link index: Int, generation: UInt64) {
        guard let link = links[index], link.generation == generation, case .connecting = link.state else { return }
        link.disconnect()
        _ = link.lane.takeEnd()
        retry(
            link,
            after: ConnectionEvent(
                state: Int(FH_CONN_DISCONNECTED), reason: Int(FH_WHY_NETWORK), generation: generation,
                message: "no answer to the connect within 20 s", isWhole: true))
    }

    /// What an adapter has said of its connection.
    func take(_ event: ConnectionEvent, from link: Link) {
        guard event.generation == link.generation, !isEnded else { return }
        switch Int(event.state) {
        case Int(FH_CONN_READY): becameReady(link)
        case Int(FH_CONN_DISCONNECTED), Int(FH_CONN_FAILED):
            guard event.reason != FH_WHY_REQUESTED else { return }
            switch link.state {
            case .connecting, .ready: break
            default: return
            }
            let event = event.explained(by: link.lane.takeEnd(), without: link.context.concealment.redaction)
            link.disconnect()
            if event.isAuthentication {
                authenticationFailed(link, event)
            } else if event.state == FH_CONN_FAILED {
                fail(link, FeedError(.brokerConnection, "\(broker): \(event.sentence)"))
            } else {
                retry(link, after: event)
            }
        default: break
        }
    }

    private func becameReady(_ link: Link) {
        guard case .connecting = link.state else { return }
        link.timer?.cancel()
        link.timer = nil
        link.state = .ready
        link.readySince = .now()
        link.silence = SilenceWatch()
        link.down = nil
        refusedCredentials[link.kindIndex] = nil
        // Everything that is wanted is asked for again: the broker has forgotten it with the connection.
        for handle in Array(link.lines.keys) { link.markDirty(handle) }
        logger.info(
            "\(link.kind.name) connected\(link.lines.isEmpty ? "" : ", restoring \(link.lines.count) subscriptions")")
        if link.kind.carriesMarketData { resumeReady(nil) }
        flush(link)
        alignOrders()
        tellConnected()
        reviewOutage()
    }

    /// Gives up until credentials change.
    func fail(_ link: Link, _ error: FeedError, because code: SessionEvent.Code = .stopped) {
        lost(link, error)
        link.state = .failed(error)
        logger.error("\(error.message)")
        if link.kind.carriesMarketData {
            resumeReady(error)
            link.down = nil
            tellStopped(code, error)
        } else {
            link.down = Down(link.down, code == .loggedOut ? .credentials : .network, error.message)
        }
        takeStock()
    }

    /// After a connection was lost: another one may have to bring the order updates, and one that was to be closed anyway is.
    func takeStock() {
        alignOrders()
        closeRetired()
        watchSurplus()
        reviewOutage()
    }

    /// Connects again after a wait.
    func retry(_ link: Link, after event: ConnectionEvent) {
        if link.hasBeenHealthy(for: Backoff.healthyAfter) { link.backoff.reset() }
        lost(link)
        link.state = .backingOff
        environment.counters.disconnects.wrappingAdd(1, ordering: .relaxed)
        var generator = SystemRandomNumberGenerator()
        var wait = max(link.backoff.next(using: &generator), event.retryAfter)
        switch Int(event.reason) {
        // The broker counts a connection for a while after its end. An earlier attempt would only be refused again.
        case FH_WHY_CONNECTION_LIMIT:
            wait = event.retryAfter > 0 ? event.retryAfter : max(wait, BrokerSession.limitPause)
        case FH_WHY_REPLACED: wait = max(link.backoff.longest, event.retryAfter)
        default: break
        }
        logger.warning("\(event.sentence); connecting again in \(wait) ms")
        link.down = Down(
            link.down, event.outageReason, event.sentence,
            since: event.silence.map { WallClock.milliseconds - Int(clamping: $0) }, retryIn: wait)
        let index = link.index
        link.timer = loop.scheduleTask(in: .milliseconds(wait)) { [weak self] in
            self?.assumeIsolated { session in
                guard let link = session.links[index], case .backingOff = link.state else { return }
                session.connect(link)
            }
        }
        takeStock()
    }

    /// The broker serves nothing any more; whoever waits for an answer gets it after the next connect, if there is one.
    func lost(_ link: Link, _ answer: FeedError = .queued) {
        // What was to come here and is still served elsewhere stays there.
        for handle in Array(link.lines.keys) where placement[handle] == link.index { _ = moveBack(handle, from: link) }
        link.timer?.cancel()
        link.timer = nil
        link.pacing?.cancel()
        link.pacing = nil
        link.dirty.removeAll()
        link.leaving.removeAll()
        link.readySince = nil
        link.bringsOrders = false
        link.context.forgetTokens()
        // What is on its way to another connection is not asked for here again.
        for handle in link.lines.values.filter(\.isDeparting).map(\.handle) {
            departures[handle] = nil
            link.lines[handle] = nil
        }
        for handle in Array(link.lines.keys) {
            link.lines[handle]?.served = nil
            link.lines[handle]?.held = nil
            link.lines[handle]?.listing = nil
            link.lines[handle]?.phase = .queued
            link.lines[handle]?.isDirty = false
            link.lines[handle]?.isUncertain = false
            resume(handle, .failure(answer))
        }
    }
}
