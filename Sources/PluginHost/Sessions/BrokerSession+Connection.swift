import CFeedhostABI
import Logging
import MarketData
import NIOCore
import Synchronization

/// Connecting, losing the connection, and connecting again with the credentials of that moment.
extension BrokerSession {
    /// A connect that brings no outcome in this time has failed.
    private static let connectTimeout = TimeAmount.seconds(20)
    /// A connection that stood so long was healthy: the next failure starts the backoff from the beginning.
    private static let healthyAfter: UInt64 = 60_000_000_000

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
        Task { await connect(link: index, generation: generation) }
    }

    private func connect(link index: Int, generation: UInt64) async {
        let credentials: BrokerCredentials
        do {
            credentials = try await environment.credentials.credentials(user: user, broker: broker)
        } catch {
            guard let link = links[index], link.generation == generation else { return }
            logger.error("the credentials cannot be read: \(error)")
            retry(
                link,
                after: ConnectionEvent(
                    state: Int(FH_CONN_DISCONNECTED), generation: generation, message: "the credentials cannot be read")
            )
            return
        }
        guard !isEnded, let link = links[index], link.generation == generation else { return }
        link.fingerprint = credentials.hashValue
        let missing = adapter.description.credentialKeys.filter {
            $0.required && credentials.values[$0.name]?.isEmpty != false
        }
        if !missing.isEmpty {
            fail(
                link,
                FeedError(
                    .broker,
                    "\(broker) needs \(missing.map(\.name).joined(separator: ", ")) for user \(user); set them with: feedhost credentials set \(user) --broker \(broker) \(missing.map { "\($0.name)=…" }.joined(separator: " "))"
                ))
            return
        }
        let status = link.connect(credentials)
        guard status != FH_OK else { return }
        let isAuthentication = status == FH_E_AUTH
        take(
            ConnectionEvent(
                state: Int(
                    status == FH_E_INVALID || status == FH_E_UNSUPPORTED ? FH_CONN_FAILED : FH_CONN_DISCONNECTED),
                reason: Int(isAuthentication ? FH_WHY_AUTH_REJECTED : FH_WHY_NETWORK), generation: generation,
                message: Link.describe(status)),
            from: link)
    }

    private func connectTimedOut(link index: Int, generation: UInt64) {
        guard let link = links[index], link.generation == generation, case .connecting = link.state else { return }
        link.disconnect()
        retry(
            link,
            after: ConnectionEvent(
                state: Int(FH_CONN_DISCONNECTED), reason: Int(FH_WHY_NETWORK), generation: generation,
                message: "no answer to the connect within 20 s"))
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
        link.readySince = WallClock.now()
        link.authenticationFailures = 0
        // Everything that is wanted is asked for again: the broker has forgotten it with the connection.
        for handle in Array(link.lines.keys) { link.markDirty(handle) }
        logger.info("connected\(link.lines.isEmpty ? "" : ", restoring \(link.lines.count) subscriptions")")
        resumeReady(nil)
        flush(link)
    }

    /// One retry, with whatever the store holds by then; after that only new credentials help.
    private func authenticationFailed(_ link: Link, _ event: ConnectionEvent) {
        link.authenticationFailures += 1
        guard link.authenticationFailures > 1 else {
            retry(link, after: event)
            return
        }
        fail(
            link,
            FeedError(
                .brokerConnection,
                "\(broker): \(event.sentence). Log in to the broker again, or set new credentials with: feedhost credentials set \(user) --broker \(broker) …"
            ))
    }

    /// Gives up until credentials change.
    private func fail(_ link: Link, _ error: FeedError) {
        lost(link, error)
        link.state = .failed(error)
        logger.error("\(error.message)")
        resumeReady(error)
    }

    /// Connects again after a wait.
    func retry(_ link: Link, after event: ConnectionEvent) {
        // The clock may have been set back meanwhile.
        let now = WallClock.now()
        if link.readySince != 0, now > link.readySince, now - link.readySince > BrokerSession.healthyAfter {
            link.backoff.reset()
        }
        lost(link)
        link.state = .backingOff
        environment.counters.disconnects.wrappingAdd(1, ordering: .relaxed)
        var generator = SystemRandomNumberGenerator()
        var wait = max(link.backoff.next(using: &generator), event.retryAfter)
        if event.reason == FH_WHY_CONNECTION_LIMIT || event.reason == FH_WHY_REPLACED {
            wait = max(link.backoff.longest, event.retryAfter)
        }
        logger.warning("\(event.sentence); connecting again in \(wait) ms")
        let index = link.index
        link.timer = loop.scheduleTask(in: .milliseconds(wait)) { [weak self] in
            self?.assumeIsolated { session in
                guard let link = session.links[index], case .backingOff = link.state else { return }
                session.connect(link)
            }
        }
    }

    /// The broker serves nothing any more; whoever waits for an answer gets it after the next connect, if there is one.
    private func lost(_ link: Link, _ answer: FeedError = .queued) {
        link.timer?.cancel()
        link.timer = nil
        link.pacing?.cancel()
        link.pacing = nil
        link.dirty.removeAll()
        link.leaving.removeAll()
        link.readySince = 0
        for handle in Array(link.lines.keys) {
            link.lines[handle]?.served = nil
            link.lines[handle]?.phase = .queued
            link.lines[handle]?.isDirty = false
            link.lines[handle]?.isUncertain = false
            link.lines[handle]?.resume(.failure(answer))
        }
    }

    /// The store may hold other credentials: the session is rebuilt with them, its subscriptions restored. A second login
    /// with the same token must not tear the feed down, and what was refused is not tried again.
    func credentialsChanged() async {
        let fresh = try? await environment.credentials.credentials(user: user, broker: broker)
        guard !isEnded else { return }
        for link in links.values where fresh == nil || link.fingerprint != fresh?.hashValue {
            logger.info("the credentials have changed, connecting with the new ones")
            link.disconnect()
            lost(link)
            link.authenticationFailures = 0
            link.backoff.reset()
            connect(link)
        }
    }
}
