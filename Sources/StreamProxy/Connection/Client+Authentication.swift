import MarketData
import NIOCore
import Secrets

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

    /// What is left for the answer to a key.
    private var timeLeftForKey: Duration {
        requests.timeLeft(of: shard.configuration.authAnswer, now: shard.loop.now)
    }

    private func check(_ key: Secret, isCounted: Bool) {
        let authenticator = shard.configuration.authenticator
        let changes = shard.changes
        let time = timeLeftForKey
        shard.perform {
            await withDeadline(time, orElse: Result<Account, Rejection>.failure(.noAccountsNow)) {
                do {
                    return .success(try await authenticator.authenticate(key: key))
                } catch {
                    return .failure(Rejection(error))
                }
            }
        } then: { [self] result in
            settle(key, isCounted: isCounted, result)
            guard isOpen else { return finish() }
            switch result {
            // The key, or what it allows, may have changed while it was checked.
            case .success where shard.changes != changes: authenticate(key)
            case .success(let account) where account.hasExpired(now: shard.configuration.clock()):
                refuse(key, Rejection(.authentication, "API key expired"))
            case .success(let account): admit(account, key)
            case .failure(let rejection): refuse(key, rejection)
            }
        }
    }

    private func refuse(_ key: Secret, _ rejection: Rejection) {
        shard.counters.authFailures.add()
        guard rejection.code == .broker else { return reject(rejection) }
        // A valid key of a user without a broker: who shows it is no stranger, but gets no session now.
        let authenticator = shard.configuration.authenticator
        let changes = shard.changes
        let time = timeLeftForKey
        shard.perform {
            await withDeadline(time, orElse: nil) { await authenticator.owner(of: key) }
        } then: { [self] owner in
            guard isOpen else { return finish() }
            guard shard.changes == changes else { return authenticate(key) }
            if isSame(owner, key) {
                // The user's login at the broker is gone for a while: what the client has waits for the next one.
                stay(owner, key)
                if standing.account == nil { unsettled = UnsettledKey(key: key, changes: changes) }
                return reject(rejection)
            }
            letGo(becoming: .brokerless(owner), key) { [self] leases in
                unsettled = UnsettledKey(key: key, changes: changes)
                release(leases, within: timeLeftForKey) { [self] in reject(rejection) }
            }
        }
    }

    /// Whether a key is the one by which the client came in, or another of the same user with the same permissions.
    /// - Parameter owner: Nil when nobody can tell.
    private func isSame(_ owner: KeyOwner?, _ key: Secret) -> Bool {
        guard let owner else { return !standing.isAnonymous && shownKey == KeyMark(key) }
        return standing.owner.map { owner.isSame(as: $0) } ?? false
    }

    /// From now on it is this key that counts, if it is another one: when it is revoked or expires, the client goes.
    private func stay(_ owner: KeyOwner?, _ key: Secret) {
        guard let owner else { return }
        shownKey = KeyMark(key)
        switch standing {
        case .anonymous: break
        case .brokerless: standing = .brokerless(owner)
        case .known(let account):
            standing = .known(
                Account(
                    user: account.user, broker: account.broker, keyID: owner.keyID, brokers: account.brokers,
                    permissions: account.permissions, expires: owner.expires))
        }
    }

    /// Looks once more at a key that was of no use, if accounts have changed since: its user may have a broker now.
    func settleKey(then serve: @escaping () -> Void) {
        let changes = shard.changes
        guard let unsettled, unsettled.changes != changes else { return serve() }
        let authenticator = shard.configuration.authenticator
        let time = timeLeft / 2
        shard.perform {
            await withDeadline(time, orElse: nil) { try? await authenticator.authenticate(key: unsettled.key) }
        } then: { [self] account in
            guard isOpen else { return finish() }
            self.unsettled?.changes = changes
            guard shard.changes == changes else { return settleKey(then: serve) }
            guard let account, !account.hasExpired(now: shard.configuration.clock()),
                visitor.enter(user: account.user)
            else { return serve() }
            // It had no session and so nothing to give back, but may have asked for order updates.
            become(account, unsettled.key)
            hasTriedUsualBroker = false
            resumeOrders { [self] in
                if isOpen { serve() } else { finish() }
            }
        }
    }

    /// The user of a key that was of no use has brokers now. Who waits for order updates need not ask again.
    func settleOrders() {
        guard unsettled != nil, !orders.brokers.isEmpty, !requests.isBusy else { return }
        requests.isBusy = true
        settleKey { [self] in finish() }
    }

    /// The user has these brokers now.
    func learn(_ brokers: Set<String>) {
        guard let account = standing.account else { return }
        // What the client has of a broker it can still leave.
        let known = Account(
            user: account.user, broker: account.broker, keyID: account.keyID, brokers: brokers,
            permissions: account.permissions, expires: account.expires
        ).with(brokers: attachments.map(\.broker))
        guard known != account else { return }
        standing = .known(known)
        if usualBroker == nil {
            usualBroker = known.usualBroker
            hasTriedUsualBroker = false
        }
        adoptOrders(known)
    }

    private func admit(_ account: Account, _ key: Secret) {
        guard isRoom(for: account.user) else { return }
        guard keepsAll(account, key) else {
            return letGo(becoming: .known(account), key) { [self] leases in attach(account, releasing: leases) }
        }
        // The same user again: sessions, subscriptions and order updates stay as they are.
        become(account.with(brokers: attachments.map(\.broker)), key)
        hasTriedUsualBroker = true
        if let broker = usualBroker, let session = session(of: broker) {
            awaitReady(session)
        } else {
            attach(account, releasing: [])
        }
    }

    /// Whether everything that the client has may stay under this account. Brokers that another key of the same user does
    /// not have are a permission too, where keys say which brokers they are for.
    private func keepsAll(_ account: Account, _ key: Secret) -> Bool {
        guard let owner = standing.owner, owner.isSame(as: account.owner) else { return false }
        if shownKey == KeyMark(key) { return true }
        return attachments.allSatisfy { account.permitted(broker: $0.broker) != nil }
            && orders.brokers.subtracting([OrderInterest.anyBroker]).allSatisfy {
                account.permitted(broker: $0) != nil
            }
    }

    /// Puts the client under another account of the same user, with whatever it has.
    private func become(_ account: Account, _ key: Secret) {
        standing = .known(account)
        shownKey = KeyMark(key)
        usualBroker = account.usualBroker
        unsettled = nil
        if tally?.limit != account.permissions.maxInstruments {
            tally = account.permissions.maxInstruments.map { InstrumentTally(limit: $0) }
        }
        adoptOrders(account)
    }

    /// Leaves the streams and the order updates of the account so far; afterwards no tick of it comes any more.
    private func letGo(becoming standing: Standing, _ key: Secret, then finish: @escaping ([Lease]) -> Void) {
        leaveOrders()
        let streams = abandonStreams()
        let leases = takeLeases()
        self.standing = standing
        shownKey = KeyMark(key)
        usualBroker = standing.account?.usualBroker
        hasTriedUsualBroker = true
        unsettled = nil
        tally = standing.account?.permissions.maxInstruments.map { InstrumentTally(limit: $0) }
        shard.leave(streams) { [self] in
            shard.routes.settle()
            finish(leases)
        }
    }

    private func awaitReady(_ session: any MarketSession) {
        let time = timeLeftForKey
        shard.perform {
            await session.refusal(within: time)
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
        let time = timeLeftForKey
        shard.perform {
            // An adapter that is stuck must not hold up the next one.
            async let released: Void = withDeadline(time, orElse: ()) { await leases.release(directory) }
            let session = await directory.attachReady(user: account.user, broker: broker, within: time)
            await released
            return session
        } then: { [self] result in
            guard case .success(let session) = result else {
                guard isOpen, case .failure(let rejection) = result else { return finish() }
                return reject(rejection)
            }
            take(session, of: broker)
            guard isOpen else { return finish() }
            guard orders.brokers.contains(broker) else { return settleIn(session) }
            beginOrders(session, of: broker) { [self] in settleIn(session) }
        }
    }

    /// What was the usual broker before may be of no use any more.
    private func settleIn(_ session: any MarketSession) {
        guard isOpen else { return finish() }
        release(leases(of: [])) { [self] in
            if isOpen { welcome(session) } else { finish() }
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

extension Rejection {
    static let noAccountsNow = Rejection(.server, "Accounts cannot be looked up at the moment, try again")
}
