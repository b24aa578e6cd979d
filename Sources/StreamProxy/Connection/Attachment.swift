import MarketData

/// What a client has of one broker's session.
struct Attachment {
    /// As accounts and requests name it.
    let broker: String
    let session: any MarketSession
    /// Subscriptions of it.
    var streams = 0
    /// Holds a reference of its order stream.
    var holdsOrders = false
    /// What the client was told of the session last.
    private var told: SessionEvent?

    init(broker: String, session: any MarketSession) {
        self.broker = broker
        self.session = session
    }
}

extension Attachment {
    /// Notes that the client is told of an event.
    /// - Returns: False when it was told already: who comes while one is on its way meets it twice.
    mutating func tell(_ event: SessionEvent) -> Bool {
        guard told.map({ !event.repeats($0) || event.code == .connected }) ?? true else { return false }
        told = event
        return true
    }
}

/// What a client gives back of a session.
struct Lease: Sendable {
    let session: any MarketSession
    var routes: [RouteKey] = []
    var stopsOrders = false
    /// Nothing is left: the session itself is given back.
    var ends = false

    func release(_ directory: any SessionDirectory) async {
        if !routes.isEmpty { await session.unsubscribe(routes) }
        if stopsOrders { await session.stopOrders() }
        if ends { await directory.detach(session) }
    }
}

extension [Lease] {
    /// One after the other.
    func release(_ directory: any SessionDirectory) async {
        for lease in self { await lease.release(directory) }
    }
}

extension SessionDirectory {
    /// The user's session, once its broker is ready or has been given time enough. To be detached like any other.
    /// - Parameter time: For all of it.
    func attachReady(
        user: String, broker: String, within time: Duration
    ) async -> Result<any MarketSession, Rejection> {
        let clock = ContinuousClock()
        let end = clock.now + time
        let attached = await withDeadline(
            time, orElse: Result<any MarketSession, Rejection>.failure(.notYet(broker)),
            late: { if case .success(let session) = $0 { await self.detach(session) } }
        ) {
            do {
                return .success(try await self.attach(user: user, broker: broker))
            } catch {
                return .failure(Rejection(error))
            }
        }
        guard case .success(let session) = attached,
            let refusal = await session.refusal(within: max(.zero, end - clock.now))
        else { return attached }
        await detach(session)
        return .failure(refusal)
    }
}

extension MarketSession {
    /// Why the broker has refused; nil when it has not by then.
    func refusal(within time: Duration) async -> Rejection? {
        await withDeadline(time, orElse: nil) {
            do {
                try await self.ready()
                return nil
            } catch {
                return Rejection(error)
            }
        }
    }
}

extension Client {
    func session(of broker: String) -> (any MarketSession)? {
        attachments.first { $0.broker == broker }?.session
    }

    /// From now on the session is given back like any other, also if the client has left meanwhile.
    func take(_ session: any MarketSession, of broker: String) {
        let attachment = Attachment(broker: broker, session: session)
        attachments.insert(attachment, at: broker == usualBroker ? 0 : attachments.count)
    }

    /// Tells the client what it has to know of sessions that were in trouble when it came; leaves it to the caller to flush.
    func queueTroubles() {
        guard isOpen else { return }
        for index in attachments.indices {
            guard let trouble = attachments[index].session.trouble, attachments[index].tell(trouble) else { continue }
            queue(Replies.notice(trouble).jsonBytes)
        }
    }

    // MARK: Streams

    func hold(_ subscription: Subscription, as written: Instrument) {
        held[written, default: []].append(subscription)
        count(subscription, as: written, 1)
    }

    /// Takes subscriptions of one instrument out of what the client holds.
    func letGo(_ leaving: [Subscription], of written: Instrument) {
        guard !leaving.isEmpty, let subscriptions = held[written] else { return }
        let kept = subscriptions.filter { each in !leaving.contains { $0 === each } }
        held[written] = kept.isEmpty ? nil : kept
        for subscription in leaving { count(subscription, as: written, -1) }
    }

    private func count(_ subscription: Subscription, as written: Instrument, _ change: Int) {
        guard let index = attachments.firstIndex(where: { $0.session.id == subscription.route.session }) else { return }
        attachments[index].streams += change
        guard tally != nil else { return }
        let (instrument, broker) = (written.withoutLevels, attachments[index].broker)
        if change > 0 {
            tally?.add(instrument, broker: broker)
        } else {
            tally?.remove(instrument, broker: broker)
        }
    }

    // MARK: Giving back

    /// Routes by their sessions, and the sessions of further brokers that nothing is left of: those leave the client.
    func leases(of routes: [RouteKey], stoppingOrders: Set<String> = []) -> [Lease] {
        let usual = usualBroker
        var leases: [Lease] = []
        for index in attachments.indices {
            let attachment = attachments[index]
            var lease = Lease(session: attachment.session)
            lease.routes = routes.filter { $0.session == attachment.session.id }
            if attachment.holdsOrders, stoppingOrders.contains(attachment.broker) {
                lease.stopsOrders = true
                attachments[index].holdsOrders = false
            }
            lease.ends = attachments[index].isUnused && attachment.broker != usual
            if lease.ends || lease.stopsOrders || !lease.routes.isEmpty { leases.append(lease) }
        }
        attachments.removeAll { $0.isUnused && $0.broker != usual }
        return leases
    }

    /// Everything that the client has of its sessions, to be given back by the caller.
    func takeLeases() -> [Lease] {
        let leases = attachments.map { attachment in
            Lease(
                session: attachment.session, routes: abandoned.filter { $0.session == attachment.session.id },
                stopsOrders: attachment.holdsOrders, ends: true)
        }
        attachments = []
        abandoned = []
        return leases
    }

    /// Gives back what the client no longer needs, then goes on.
    /// - Parameter time: That this may take; nil for what is left for the answer.
    func release(_ leases: [Lease], within time: Duration? = nil, then finish: @escaping () -> Void = {}) {
        guard !leases.isEmpty else { return finish() }
        let directory = shard.configuration.directory
        let time = time ?? timeLeft
        shard.perform({ await withDeadline(time, orElse: ()) { await leases.release(directory) } }, then: finish)
    }
}

extension Rejection {
    static func notYet(_ broker: String) -> Rejection {
        Rejection(.broker, "The session at \(broker.excerpt) is not ready yet; try again in a few seconds")
    }
}

extension Attachment {
    fileprivate var isUnused: Bool { streams == 0 && !holdsOrders }
}
