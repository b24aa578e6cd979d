import MarketData
import NIOCore

extension Client {
    /// Streams that a client joins in one turn of the loop; a request may name 20,000.
    private static let joinsPerTurn = 256

    func subscribe(_ request: SubscribeRequest) {
        guard let session = standing.session else { return reject(.noSession) }
        let work = SubscribeWork(request: request, session: session, requestID: requests.requestID)
        shard.perform({ await work.run() }) { [self] outcome in
            send(outcome.reply)
            join(outcome.grants[...], session: session, surplus: [])
        }
    }

    /// Puts the client on its new streams. The acknowledgement is queued by now, so last values and ticks come after it.
    /// - Parameter surplus: References for what the client has already.
    private func join(
        _ grants: ArraySlice<SubscribeWork.Granted>, session: any MarketSession, surplus: [RouteKey]
    ) {
        guard isOpen else {
            abandoned += surplus + grants.map(\.route)
            return finish()
        }
        var surplus = surplus
        for grant in grants.prefix(Self.joinsPerTurn) where !join(grant, broker: session.broker) {
            surplus.append(grant.route)
        }
        shard.routes.flush()
        let rest = grants.dropFirst(Self.joinsPerTurn)
        if rest.isEmpty {
            giveBack(surplus, to: session)
        } else {
            shard.loop.assumeIsolated().execute { [surplus] in
                self.join(rest, session: session, surplus: surplus)
            }
        }
    }

    /// - Returns: False when the client has this stream already.
    private func join(_ grant: SubscribeWork.Granted, broker: String) -> Bool {
        let key = StreamKey(route: grant.route, symbol: grant.written.symbol)
        if held[grant.written]?.contains(where: { $0.stream.key == key }) == true { return false }
        let subscription = shard.routes.join(key, exchange: grant.written.exchange, broker: broker, outbox: outbox)
        held[grant.written, default: []].append(subscription)
        return true
    }

    private func giveBack(_ routes: [RouteKey], to session: any MarketSession) {
        guard !routes.isEmpty else { return finish() }
        shard.perform({ await session.unsubscribe(routes) }) { [self] in finish() }
    }
}
