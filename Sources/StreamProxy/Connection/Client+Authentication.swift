import MarketData
import NIOCore

extension Client {
    /// Key → account → session → broker ready: all off the loop, so that neither a slow hash nor a slow broker is felt by
    /// another client (client-protocol.md section 9.4).
    func authenticate(_ key: Secret) {
        let authenticator = shard.configuration.authenticator
        shard.perform {
            do {
                return Result<Account, Rejection>.success(try await authenticator.authenticate(key: key))
            } catch {
                return .failure(Rejection(error))
            }
        } then: { [self] result in
            guard isOpen else { return finish() }
            switch result {
            case .success(let account) where shard.isRevoked(account):
                refuse(Rejection(.authentication, "Invalid API key"))
            case .success(let account): admit(account)
            case .failure(let rejection): refuse(rejection)
            }
        }
    }

    private func refuse(_ rejection: Rejection) {
        shard.counters.authFailures.add()
        guard rejection.code == .broker else { return reject(rejection) }
        // A valid key of a user without a broker: who shows it is no stranger, but has no session (any more).
        letGo(becoming: nil) { [self] lease in
            if let lease { shard.perform({ await lease.release() }, then: {}) }
            reject(rejection)
        }
    }

    private func admit(_ account: Account) {
        if case .attached(let previous, let session) = standing, previous.user == account.user,
            previous.broker == account.broker
        {
            // The same user again: session and subscriptions stay as they are.
            standing = .attached(account, session)
            awaitReady(session)
        } else {
            letGo(becoming: account) { [self] lease in attach(account, releasing: lease) }
        }
    }

    /// Leaves the streams and the order updates of the account so far; afterwards no tick of it comes any more.
    private func letGo(becoming account: Account?, then finish: @escaping (Lease?) -> Void) {
        leaveOrders()
        let streams = abandonStreams()
        let lease = takeLease()
        standing = .withoutSession(account)
        shard.leave(streams) { [self] in
            shard.routes.settle()
            finish(lease)
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

    private func attach(_ account: Account, releasing lease: Lease?) {
        let directory = shard.configuration.directory
        shard.perform {
            await lease?.release()
            do {
                let session = try await directory.attach(user: account.user, broker: account.broker)
                do {
                    try await session.ready()
                } catch {
                    await directory.detach(session)
                    throw error
                }
                return Result<any MarketSession, Rejection>.success(session)
            } catch {
                return .failure(Rejection(error))
            }
        } then: { [self] result in
            // From here on the session is given back like any other, even if the client has left meanwhile.
            if case .success(let session) = result { standing = .attached(account, session) }
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
    }
}
