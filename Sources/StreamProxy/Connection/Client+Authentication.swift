import MarketData
import NIOCore

extension Client {
    /// Key → account → session → broker ready: all off the loop, so that neither a slow hash nor a slow broker is felt by
    /// another client (client-protocol.md section 9.4).
    /// - Parameter waits: How often the key has waited for others.
    func authenticate(_ key: Secret, waits: Int = 0) {
        switch visitor.attempt(key, waits: waits, now: shard.loop.now) {
        case .look(let isCounted): check(key, isCounted: isCounted)
        case .later: authenticateLater(key, waits: waits)
        case .wait(let time): putOff(time)
        }
    }

    private func check(_ key: Secret, isCounted: Bool) {
        let authenticator = shard.configuration.authenticator
        let changes = shard.changes
        shard.perform {
            do {
                return Result<Account, Rejection>.success(try await authenticator.authenticate(key: key))
            } catch {
                return .failure(Rejection(error))
            }
        } then: { [self] result in
            settle(key, isCounted: isCounted, result)
            guard isOpen else { return finish() }
            switch result {
            // The key, or what it allows, may have changed while it was checked.
            case .success where shard.changes != changes: authenticate(key)
            case .success(let account) where account.hasExpired(now: shard.configuration.clock()):
                refuse(key, Rejection(.authentication, "API key expired"))
            case .success(let account): admit(account)
            case .failure(let rejection): refuse(key, rejection)
            }
        }
    }

    private func refuse(_ key: Secret, _ rejection: Rejection) {
        shard.counters.authFailures.add()
        guard rejection.code == .broker else { return reject(rejection) }
        // A valid key of a user without a broker: who shows it is no stranger, but has no session (any more).
        let changes = shard.changes
        letGo(becoming: nil) { [self] leases in
            unsettled = UnsettledKey(key: key, changes: changes)
            release(leases)
            reject(rejection)
        }
    }

    /// Looks once more at a key that was of no use, if accounts have changed since: its user may have a broker now.
    func settleKey(then serve: @escaping () -> Void) {
        let changes = shard.changes
        guard let unsettled, unsettled.changes != changes else { return serve() }
        let authenticator = shard.configuration.authenticator
        shard.perform {
            try? await authenticator.authenticate(key: unsettled.key)
        } then: { [self] account in
            guard isOpen else { return finish() }
            self.unsettled?.changes = changes
            guard shard.changes == changes else { return settleKey(then: serve) }
            guard let account, !account.hasExpired(now: shard.configuration.clock()),
                visitor.enter(user: account.user)
            else { return serve() }
            letGo(becoming: account) { [self] leases in
                hasTriedUsualBroker = false
                release(leases) { [self] in
                    if isOpen { serve() } else { finish() }
                }
            }
        }
    }

    /// The user has these brokers now.
    func learn(_ brokers: Set<String>) {
        guard let account = standing.account else { return }
        // What the client has of a broker it can still leave.
        let known = Account(
            user: account.user, broker: account.broker, keyID: account.keyID,
            brokers: brokers.union(attachments.map(\.broker)), permissions: account.permissions,
            expires: account.expires)
        guard known != account else { return }
        standing = .known(known)
        if usualBroker == nil {
            usualBroker = known.usualBroker
            hasTriedUsualBroker = false
        }
        if !orders.brokers.isEmpty { orders.filter = OrderFilter(known, asked: orders.brokers) }
    }

    private func admit(_ account: Account) {
        guard isRoom(for: account.user) else { return }
        if let previous = standing.account, previous.isSame(as: account), let broker = usualBroker,
            let session = session(of: broker)
        {
            // The same user again: sessions and subscriptions stay as they are.
            standing = .known(account)
            awaitReady(session)
        } else {
            letGo(becoming: account) { [self] leases in attach(account, releasing: leases) }
        }
    }

    /// Leaves the streams and the order updates of the account so far; afterwards no tick of it comes any more.
    private func letGo(becoming account: Account?, then finish: @escaping ([Lease]) -> Void) {
        leaveOrders()
        let streams = abandonStreams()
        let leases = takeLeases()
        standing = .known(account)
        usualBroker = account?.usualBroker
        hasTriedUsualBroker = true
        unsettled = nil
        tally = account?.permissions.maxInstruments.map { InstrumentTally(limit: $0) }
        shard.leave(streams) { [self] in
            shard.routes.settle()
            finish(leases)
        }
    }

    private func awaitReady(_ session: any MarketSession) {
        shard.perform {
            do {
                try await session.ready()
                return Rejection?.none
            } catch {
                return Rejection(error)
            }
        } then: { [self] rejection in
            guard isOpen else { return finish() }
            if let rejection { reject(rejection) } else { welcome(session) }
        }
    }

    private func attach(_ account: Account, releasing leases: [Lease]) {
        guard let broker = usualBroker else {
            return release(leases) { [self] in reject(.noBrokerPermitted) }
        }
        let directory = shard.configuration.directory
        shard.perform {
            await leases.release(directory)
            return await directory.attachReady(user: account.user, broker: broker)
        } then: { [self] result in
            if case .success(let session) = result { take(session, of: broker) }
            guard isOpen else { return finish() }
            switch result {
            case .success(let session): welcome(session)
            case .failure(let rejection): reject(rejection)
            }
        }
    }

    private func welcome(_ session: any MarketSession) {
        // The account's name: the session of publishers outside is shared by all its users.
        let user = standing.account?.user ?? session.user
        finish(Replies.authenticated(user: user, broker: session.broker, modes: session.modes))
        queueTroubles()
        outbox.flush()
    }
}
