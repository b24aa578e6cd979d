import Logging
import MarketData
import NIOCore

/// What a client has to do with its user's order updates.
struct OrderInterest {
    /// Brokers whose updates it has asked for; it is in the shard's list of listeners while there are any.
    var brokers: Set<String> = []
    /// What it does not get of them; nil when it gets everything.
    var filter: OrderFilter?
    /// Updates that came before the acknowledgement; nil when none are held back.
    var early: [ByteBuffer]?
}

extension Client {
    /// The broker is asked for its order stream. Whether it has one is no matter of the client's: updates may come from
    /// publishers outside, so the request succeeds in any case, as it does with OpenAlgo.
    func subscribeOrders(_ asked: String?) {
        guard let account = standing.account else { return reject(.noSession) }
        guard account.permissions.orders else { return reject(.ordersNotPermitted) }
        if let asked, account.permitted(broker: asked) == nil { return reject(.notPermitted(broker: asked)) }
        guard let broker = asked ?? usualBroker else { return reject(.noBrokerPermitted) }
        guard !orders.brokers.contains(broker) else { return finish(Replies.orders(subscribed: true)) }
        orders.early = []
        listen(to: orders.brokers.union([broker]), account)
        if let session = session(of: broker) {
            startOrders(session, of: broker)
        } else if broker == usualBroker, hasTriedUsualBroker {
            acknowledgeOrders()
        } else {
            attachForOrders(broker, account)
        }
    }

    private func attachForOrders(_ broker: String, _ account: Account) {
        let directory = shard.configuration.directory
        shard.perform {
            await directory.attachReady(user: account.user, broker: broker)
        } then: { [self] result in
            switch result {
            case .success(let session):
                take(session, of: broker)
                startOrders(session, of: broker)
            case .failure(let rejection):
                if isOpen { listen(to: orders.brokers.subtracting([broker]), account) }
                acknowledgeOrders(refusal: rejection)
            }
        }
    }

    private func startOrders(_ session: any MarketSession, of broker: String) {
        shard.perform {
            do {
                try await session.startOrders()
                return FeedError?.none
            } catch {
                return error as? FeedError ?? FeedError(.broker, "\(error)")
            }
        } then: { [self] error in
            if let index = attachments.firstIndex(where: { $0.broker == broker }) {
                attachments[index].holdsOrders = error == nil
            }
            if let error {
                shard.log.write(
                    .debug, "no order updates from the broker", now: shard.loop.now, ["why": "\(error.message)"])
            }
            guard isOpen else { return acknowledgeOrders() }
            release(leases(of: [])) { [self] in acknowledgeOrders() }
        }
    }

    /// The acknowledgement first, then updates.
    private func acknowledgeOrders(refusal: Rejection? = nil) {
        let early = orders.early ?? []
        orders.early = nil
        guard isOpen else { return finish() }
        if refusal != nil { shard.counters.badRequests.add() }
        let reply = refusal.map { Replies.error($0) } ?? Replies.orders(subscribed: true)
        queue(reply.adding("request_id", requests.requestID).jsonBytes)
        for update in early { queue(update) }
        queueTroubles()
        outbox.flush()
        finish()
    }

    /// Takes an update for the client; it is never dropped.
    func receiveOrder(_ update: ByteBuffer) {
        if orders.early != nil { orders.early?.append(update) } else { send(update) }
    }

    func unsubscribeOrders(_ asked: String?) {
        guard let account = standing.account else { return finish(Replies.orders(subscribed: false)) }
        if let asked, account.permitted(broker: asked) == nil { return reject(.notPermitted(broker: asked)) }
        let leaving = asked.map { [$0] } ?? orders.brokers
        listen(to: orders.brokers.subtracting(leaving), account)
        release(leases(of: [], stoppingOrders: leaving)) { [self] in finish(Replies.orders(subscribed: false)) }
    }

    /// No update is queued any more. The sessions' references stay, to be given back where waiting is possible.
    func leaveOrders() {
        guard let account = standing.account else { return }
        listen(to: [], account)
    }

    private func listen(to brokers: Set<String>, _ account: Account) {
        if orders.brokers.isEmpty, !brokers.isEmpty { shard.orders.add(self, user: account.user) }
        if !orders.brokers.isEmpty, brokers.isEmpty { shard.orders.remove(self, user: account.user) }
        orders.brokers = brokers
        orders.filter = OrderFilter(standing.account ?? account, asked: brokers)
    }
}
