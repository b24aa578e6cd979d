import NIOCore

extension Client {
    /// Looks at this client's deadlines.
    func sweep(_ now: NIODeadline) {
        switch ending {
        case .closing(let deadline), .deaf(let deadline):
            if now >= deadline { drop() }
            return
        case .gone:
            return
        case .open:
            break
        }
        let configuration = shard.configuration
        if let account = standing.account, account.hasExpired(now: shard.configuration.clock()) {
            return close(.keyExpired)
        }
        if standing.isAnonymous, now >= keepalive.authDeadline { return close(.authTimeout) }
        if outbox.isWriting, now >= outbox.writingSince + configuration.slowTimeout { return closeSlow() }
        switch keepalive.check(now, isExcused: outbox.isWriting || requests.isPaused, configuration) {
        case .nothing: break
        case .timeout: close(.keepaliveTimeout)
        case .ping(let payload):
            outbox.append(.controlFrame(.ping, payload: payload))
            outbox.flush()
        }
    }
}
