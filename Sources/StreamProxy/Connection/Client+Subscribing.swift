import MarketData
import NIOCore

extension Client {
    func subscribe(_ request: SubscribeRequest) {
        guard let account = standing.account, let (broker, source) = source(request.broker, account) else {
            return reject(.noSession)
        }
        let work = SubscribeWork(
            request: request, account: account, broker: broker, source: source, allowance: allowance(for: request),
            requestID: requests.requestID, time: timeLeft)
        shard.perform({ await work.run() }) { [self] outcome in
            if outcome.isRoomExceeded { shard.counters.instrumentsLimited.add() }
            if let session = outcome.attached { take(session, of: broker) }
            queue(outcome.reply)
            if outcome.attached != nil { queueTroubles() }
            join(outcome.grants[...], of: broker, surplus: [])
        }
    }

    /// Whom to ask for a broker's streams.
    /// - Returns: Nil when the usual broker has let the user down at authentication.
    private func source(_ asked: String?, _ account: Account) -> (broker: String, SubscribeWork.Source)? {
        if let asked, account.permitted(broker: asked) == nil { return (asked, .nobody) }
        guard let broker = asked ?? usualBroker else { return nil }
        if let session = session(of: broker) { return (broker, .held(session)) }
        return broker == usualBroker && hasTriedUsualBroker ? nil : (broker, .directory(shard.configuration.directory))
    }

    /// Puts the client on its new streams. The acknowledgement is queued by now, so last values and ticks come after it;
    /// it is sent when the streams are joined, so who has read it misses nothing.
    /// - Parameter surplus: References for what the client has already.
    private func join(_ grants: ArraySlice<SubscribeWork.Granted>, of broker: String, surplus: [RouteKey]) {
        guard isOpen else {
            abandoned += surplus + grants.map(\.route)
            return finish()
        }
        var surplus = surplus
        var joined: [Subscription] = []
        for grant in grants.prefix(Shard.streamsPerTurn) {
            let had = held[grant.written]?.count ?? 0
            if let subscription = join(grant, of: broker) { joined.append(subscription) }
            // One reference is enough for a stream that the client had already.
            if held[grant.written]?.count == had { surplus.append(grant.route) }
        }
        // By itself: some clients read one frame a packet (AmiBroker, client-protocol.md section 8).
        outbox.flush()
        for subscription in joined { shard.routes.appendLastValue(of: subscription) }
        outbox.flush()
        shard.routes.settle()
        let rest = grants.dropFirst(Shard.streamsPerTurn)
        if rest.isEmpty, isOpen {
            release(leases(of: surplus)) { [self] in finish() }
        } else {
            shard.nextTurn { [self, surplus] in join(rest, of: broker, surplus: surplus) }
        }
    }

    /// - Returns: Nil when the client has this stream already, at this rate. A stream whose rate changes is joined anew, and
    ///   the reference of the old subscription goes back with the surplus.
    private func join(_ grant: SubscribeWork.Granted, of broker: String) -> Subscription? {
        let key = StreamKey(route: grant.route, symbol: grant.written.symbol)
        if let old = held[grant.written]?.first(where: { $0.stream.key == key }) {
            guard old.pace?.interval != grant.interval else { return nil }
            letGo([old], of: grant.written)
            let replacement = add(grant, key: key, of: broker)
            shard.routes.leave(old)
            return replacement
        }
        return add(grant, key: key, of: broker)
    }

    private func add(_ grant: SubscribeWork.Granted, key: StreamKey, of broker: String) -> Subscription {
        let subscription = shard.routes.join(
            key, exchange: grant.written.exchange, broker: session(of: broker)?.broker ?? broker, outbox: outbox,
            interval: grant.interval)
        hold(subscription, as: grant.written)
        return subscription
    }
}
