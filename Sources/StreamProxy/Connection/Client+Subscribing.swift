import MarketData
import NIOCore

extension Client {
    func subscribe(_ request: SubscribeRequest) {
        guard let session = standing.session else { return reject(.noSession) }
        let work = SubscribeWork(request: request, session: session, requestID: requests.requestID)
        shard.perform({ await work.run() }) { [self] outcome in
            queue(outcome.reply)
            join(outcome.grants[...], session: session, surplus: [])
        }
    }

    /// Puts the client on its new streams. The acknowledgement is queued by now, so last values and ticks come after it;
    /// it is sent when the streams are joined, so who has read it misses nothing.
    /// - Parameter surplus: References for what the client has already.
    private func join(
        _ grants: ArraySlice<SubscribeWork.Granted>, session: any MarketSession, surplus: [RouteKey]
    ) {
        guard isOpen else {
            abandoned += surplus + grants.map(\.route)
            return finish()
        }
        var surplus = surplus
        var joined: [Subscription] = []
        for grant in grants.prefix(Shard.streamsPerTurn) {
            let had = held[grant.written]?.count ?? 0
            if let subscription = join(grant, broker: session.broker) { joined.append(subscription) }
            // One reference is enough for a stream that the client had already.
            if held[grant.written]?.count == had { surplus.append(grant.route) }
        }
        // By itself: some clients read one frame a packet (AmiBroker, client-protocol.md section 8).
        outbox.flush()
        for subscription in joined { shard.routes.appendLastValue(of: subscription) }
        outbox.flush()
        shard.routes.settle()
        let rest = grants.dropFirst(Shard.streamsPerTurn)
        if rest.isEmpty {
            giveBack(surplus, to: session)
        } else {
            shard.nextTurn { [self, surplus] in join(rest, session: session, surplus: surplus) }
        }
    }

    /// - Returns: Nil when the client has this stream already, at this rate. A stream whose rate changes is joined anew, and
    ///   the reference of the old subscription goes back with the surplus.
    private func join(_ grant: SubscribeWork.Granted, broker: String) -> Subscription? {
        let key = StreamKey(route: grant.route, symbol: grant.written.symbol)
        let index = held[grant.written]?.firstIndex { $0.stream.key == key }
        if let index, let old = held[grant.written]?[index] {
            guard old.pace?.interval != grant.interval else { return nil }
            held[grant.written]?.remove(at: index)
            let replacement = add(grant, key: key, broker: broker)
            shard.routes.leave(old)
            return replacement
        }
        return add(grant, key: key, broker: broker)
    }

    private func add(_ grant: SubscribeWork.Granted, key: StreamKey, broker: String) -> Subscription {
        let subscription = shard.routes.join(
            key, exchange: grant.written.exchange, broker: broker, outbox: outbox, interval: grant.interval)
        held[grant.written, default: []].append(subscription)
        return subscription
    }

    private func giveBack(_ routes: [RouteKey], to session: any MarketSession) {
        guard !routes.isEmpty else { return finish() }
        shard.perform({ await session.unsubscribe(routes) }) { [self] in finish() }
    }
}
