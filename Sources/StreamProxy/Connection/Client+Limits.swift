import Logging
import MarketData
import NIOCore
import Secrets

extension Client {
    /// Whether the request under way is served; answers it when it is not.
    func isInTime() -> Bool {
        switch visitor.request(now: shard.loop.now) {
        case .serve: return true
        case .refuse(let rejection):
            reject(rejection)
            return false
        case .close:
            say("client sends too many requests and is cut off")
            close(.tooManyRequests)
            finish()
            return false
        }
    }

    /// How much of a subscription this client may have.
    func allowance(for request: SubscribeRequest) -> SubscribeAllowance {
        let (taken, late) = visitor.subscribe(request.entries.count, now: shard.loop.now)
        var allowance = SubscribeAllowance(inTime: taken, late: late, tally: tally)
        if let limit = shard.admission.limits.instruments, held.count + taken > limit {
            // Those that it has already are not more.
            let known = request.entries.prefix(taken).compactMap { try? $0.instrument() }.filter { held[$0] != nil }
            allowance.room = InstrumentRoom(limit: limit, held: held.count, known: Set(known))
        }
        return allowance
    }

    /// Too many keys from this address were wrong: this one is not looked at. The answer waits too, so that whoever tries one
    /// after another is slowed; others are not, because nothing else waits.
    func putOff(_ wait: TimeAmount) {
        say("too many wrong keys from one address")
        let rejection = Rejection.limited("Too many wrong API keys from your address", wait)
        // Who is in already may be waiting for other answers.
        guard standing.isAnonymous else { return reject(rejection) }
        shard.loop.assumeIsolated().scheduleTask(in: min(wait, shard.admission.limits.longestHold)) { [weak self] in
            guard let self else { return }
            if self.isOpen { self.reject(rejection) } else { self.finish() }
        }
    }

    /// Shows the key again once others of its address, which are being looked at, are settled. Each time later, so that a
    /// flood that waits costs next to nothing.
    func authenticateLater(_ key: Secret, waits: Int) {
        shard.loop.assumeIsolated().scheduleTask(in: .milliseconds(10 << Int64(waits))) { [weak self] in
            guard let self else { return }
            if self.isOpen { self.authenticate(key, waits: waits + 1) } else { self.finish() }
        }
    }

    /// What has become of a key that was looked at. Only one that is nobody's counts as wrong.
    func settle<Value>(_ key: Secret, isCounted: Bool, _ result: Result<Value, Rejection>) {
        let wasRight: Bool? =
            switch result {
            case .success: true
            // Also what is turned away because others are being looked at: a flood would never be slowed otherwise.
            case .failure(let rejection) where [.authentication, .rateLimited].contains(rejection.code): false
            // A key of somebody who has no broker now.
            case .failure(let rejection) where rejection.code == .broker: true
            case .failure: nil
            }
        visitor.settle(key, wasRight: wasRight, isCounted: isCounted, now: shard.loop.now)
    }

    /// Whether there is room for one more connection of the user; ends this one when there is not.
    func isRoom(for user: String) -> Bool {
        if visitor.enter(user: user) { return true }
        let rejection = Rejection(.rateLimited, "Too many connections of this user; close some first")
        send(Replies.error(rejection).adding("request_id", requests.requestID).jsonBytes)
        close(.tooManyConnections)
        finish()
        return false
    }

    private func say(_ kind: String) {
        shard.log.write(.info, kind, now: shard.loop.now, ["address": "\(visitor.address ?? .local)"])
    }
}
