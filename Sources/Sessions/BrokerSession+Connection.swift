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
    func connect(_ link: BrokerLink) {
        link.timer?.cancel()
        if link.instance == nil {
            do throws(FeedError) { try makeInstance(of: link) } catch { return fail(link, error) }
        }
        let (index, generation) = (link.index, pool.connecting(link.index))
        environment.counters.connects.wrappingAdd(1, ordering: .relaxed)
        link.timer = loop.scheduleTask(in: BrokerSession.connectTimeout) { [weak self] in
            self?.assumeIsolated { $0.connectTimedOut(link: index, generation: generation) }
        }
        watchSlowConnect(link)
        Task { await connect(link: index, generation: generation) }
    }

    private func connectTimedOut(link index: Int, generation: UInt64) {
        guard let link = links[index], self.generation(of: link) == generation, isConnecting(link) else { return }
        link.instance?.disconnect(generation: generation)
        _ = link.instance?.takeEnd()
        retry(
            link,
            after: ConnectionEvent(
                state: Int(FH_CONN_DISCONNECTED), reason: Int(FH_WHY_NETWORK), generation: generation,
                message: "no answer to the connect within 20 s", isWhole: true))
    }

    /// What an adapter has said of its connection.
    func take(_ event: ConnectionEvent, from link: BrokerLink) {
        guard event.generation == generation(of: link), !isEnded else { return }
        switch Int(event.state) {
        case Int(FH_CONN_READY): becameReady(link)
        case Int(FH_CONN_DISCONNECTED), Int(FH_CONN_FAILED):
            guard event.reason != FH_WHY_REQUESTED else { return }
            guard isConnecting(link) || isConnected(link) else { return }
            let event = event.explained(by: link.instance?.takeEnd(), without: concealment.redaction)
            link.instance?.disconnect(generation: generation(of: link))
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

    private func becameReady(_ link: BrokerLink) {
        guard isConnecting(link) else { return }
        link.timer?.cancel()
        link.timer = nil
        pool.becameReady(link.index)
        link.readySince = .now()
        link.silence = SilenceWatch()
        link.down = nil
        refusedCredentials[link.kindIndex] = nil
        let count = pool.count(on: link.index)
        logger.info("\(link.kind.name) connected\(count == 0 ? "" : ", restoring \(count) subscriptions")")
        if link.kind.carriesMarketData { resumeReady(nil) }
        flush(link)
        alignOrders()
        tellConnected()
        reviewOutage()
    }

    /// Gives up until credentials change.
    func fail(_ link: BrokerLink, _ error: FeedError, because code: SessionEvent.Code = .stopped) {
        lost(link, becoming: .failed(error), error)
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
    func retry(_ link: BrokerLink, after event: ConnectionEvent) {
        if link.hasBeenHealthy(for: Backoff.healthyAfter) { link.backoff.reset() }
        lost(link, becoming: .backingOff)
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
                guard let link = session.links[index], session.isBackingOff(link) else { return }
                session.connect(link)
            }
        }
        takeStock()
    }

    /// The broker serves nothing any more; whoever waits for an answer gets it after the next connect, if there is one.
    func lost(_ link: BrokerLink, becoming state: PoolLink.State, _ answer: FeedError = .queued) {
        link.cancelTimers()
        link.readySince = nil
        link.ordersRequest = nil
        link.hasRefusedOrders = false
        pool.lost(link.index, becoming: state, answer)
        act()
    }
}
