import Logging
import MarketData
import NIOCore

/// What a client has to do with its user's order updates.
struct OrderInterest {
    /// Stands for the broker of a user who has none at the moment.
    static let anyBroker = ""

    /// Brokers whose updates it has asked for; it is in the shard's list of listeners while there are any.
    var brokers: Set<String> = []
    /// Whose they are, while there are any.
    var user = ""
    /// What it does not get of them; nil when it gets everything.
    var filter: OrderFilter?
    /// Updates that came before the acknowledgement; nil when none are held back.
    private(set) var early: [ByteBuffer]?
    private var earlyBytes = 0

    /// Bytes of updates that wait for the acknowledgement. Beyond it they go out before it: a broker that takes long to answer
    /// shall cost neither memory nor an update.
    static let mostEarly = 1 << 20

    mutating func holdBack() { (early, earlyBytes) = ([], 0) }

    /// - Returns: False when the update is not to wait.
    mutating func holdBack(_ update: ByteBuffer) -> Bool {
        guard early != nil, earlyBytes + update.readableBytes <= Self.mostEarly else { return false }
        early?.append(update)
        earlyBytes += update.readableBytes
        return true
    }

    /// What was held back; from now on nothing is.
    mutating func takeEarly() -> [ByteBuffer] {
        defer { (early, earlyBytes) = (nil, 0) }
        return early ?? []
    }
}

extension Client {
    /// The broker is asked for its order stream. Whether it has one is no matter of the client's: updates may come from
    /// publishers outside, so the request succeeds in any case, as it does with OpenAlgo.
    func subscribeOrders(_ asked: String?) {
        guard let owner = standing.owner else { return reject(.noSession) }
        guard owner.permissions.orders else { return reject(.ordersNotPermitted) }
        guard let account = standing.account else { return subscribeOrders(asked, of: owner) }
        if let asked, account.permitted(broker: asked) == nil { return reject(.notPermitted(broker: asked)) }
        guard let broker = asked ?? usualBroker else { return reject(.noBrokerPermitted) }
        guard !orders.brokers.contains(broker) else { return finish(Replies.orders(subscribed: true)) }
        orders.holdBack()
        listen(to: orders.brokers.union([broker]), of: owner)
        if let session = session(of: broker) {
            startOrders(session, of: broker)
        } else if broker == usualBroker, hasTriedUsualBroker {
            acknowledgeOrders()
        } else {
            attachForOrders(broker, account)
        }
    }

    /// The user has no broker at the moment, and nobody is asked; publishers outside need none.
    private func subscribeOrders(_ asked: String?, of owner: KeyOwner) {
        if let asked { return reject(.notPermitted(broker: asked)) }
        listen(to: [OrderInterest.anyBroker], of: owner)
        finish(Replies.orders(subscribed: true))
    }

    private func attachForOrders(_ broker: String, _ account: Account) {
        let directory = shard.configuration.directory
        // The rest is for starting them.
        let time = timeLeft / 2
        shard.perform {
            await directory.attachReady(user: account.user, broker: broker, within: time)
        } then: { [self] result in
            switch result {
            case .success(let session):
                take(session, of: broker)
                startOrders(session, of: broker)
            case .failure(let rejection):
                if isOpen { listen(to: orders.brokers.subtracting([broker]), of: account.owner) }
                acknowledgeOrders(refusal: rejection)
            }
        }
    }

    private func startOrders(_ session: any MarketSession, of broker: String) {
        beginOrders(session, of: broker) { [self] in
            guard isOpen else { return acknowledgeOrders() }
            release(leases(of: [])) { [self] in acknowledgeOrders() }
        }
    }

    /// Takes a reference of the session's order stream, if it has one.
    func beginOrders(_ session: any MarketSession, of broker: String, then finish: @escaping () -> Void) {
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
            finish()
        }
    }

    /// The user is at a broker again: what was asked for without one is meant for it.
    func adoptOrders(_ account: Account) {
        guard !orders.brokers.isEmpty else { return }
        var brokers = orders.brokers
        if brokers.remove(OrderInterest.anyBroker) != nil, let broker = usualBroker { brokers.insert(broker) }
        listen(to: brokers, of: account.owner)
    }

    /// Has the usual broker send what was asked for before there was one. Whatever becomes of it, updates of publishers
    /// outside go on coming.
    func resumeOrders(then finish: @escaping () -> Void) {
        guard let account = standing.account, let broker = usualBroker, orders.brokers.contains(broker) else {
            return finish()
        }
        let directory = shard.configuration.directory
        // The rest is for starting them.
        let time = timeLeft / 2
        shard.perform {
            await directory.attachReady(user: account.user, broker: broker, within: time)
        } then: { [self] result in
            guard case .success(let session) = result else { return finish() }
            take(session, of: broker)
            guard isOpen else { return finish() }
            beginOrders(session, of: broker, then: finish)
        }
    }

    /// The acknowledgement first, then updates.
    private func acknowledgeOrders(refusal: Rejection? = nil) {
        let early = orders.takeEarly()
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
        if orders.holdBack(update) { return }
        for update in orders.takeEarly() { queue(update) }
        send(update)
    }

    func unsubscribeOrders(_ asked: String?) {
        guard let owner = standing.owner else { return finish(Replies.orders(subscribed: false)) }
        if let asked, standing.account?.permitted(broker: asked) == nil { return reject(.notPermitted(broker: asked)) }
        let leaving = asked.map { [$0] } ?? orders.brokers
        listen(to: orders.brokers.subtracting(leaving), of: owner)
        release(leases(of: [], stoppingOrders: leaving)) { [self] in finish(Replies.orders(subscribed: false)) }
    }

    /// No update is queued any more. The sessions' references stay, to be given back where waiting is possible.
    func leaveOrders() {
        guard let owner = standing.owner else { return }
        listen(to: [], of: owner)
    }

    private func listen(to brokers: Set<String>, of owner: KeyOwner) {
        if orders.brokers.isEmpty, !brokers.isEmpty {
            orders.user = owner.user
            shard.orders.add(self, user: owner.user)
        }
        if !orders.brokers.isEmpty, brokers.isEmpty { shard.orders.remove(self, user: orders.user) }
        orders.brokers = brokers
        orders.filter = OrderFilter(
            (standing.owner ?? owner).permissions, others: (standing.account?.brokers ?? []).subtracting(brokers))
    }
}
