import NIOCore

extension Client {
    /// Looks at this client's deadlines. Nothing is copied for it: with 18,000 idle clients the sweep is what the busy ones
    /// would feel.
    func sweep(_ now: NIODeadline) {
        switch ending {
        case .closing(let deadline), .failed(let deadline), .deaf(let deadline):
            if now >= deadline { drop() }
            return
        case .gone:
            return
        case .open:
            break
        }
        if let expiry, shard.configuration.clock() >= expiry { return close(.keyExpired) }
        if standing.isAnonymous, now >= keepalive.authDeadline { return close(.authTimeout) }
        if outbox.isWriting, now >= outbox.writingSince + shard.configuration.slowTimeout { return closeSlow() }
        let isExcused = outbox.isWriting || requests.isPaused
        switch keepalive.check(now, isExcused: isExcused, timeout: shard.configuration.pingTimeout) {
        case .nothing: break
        case .timeout: close(.keepaliveTimeout)
        case .ping(let payload):
            outbox.append(.controlFrame(.ping, payload: payload))
            outbox.flush()
        }
    }
}
