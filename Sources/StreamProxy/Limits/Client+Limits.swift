import Logging
import MarketData
import NIOCore

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

    /// Why a subscription is more than this client may have.
    func excess(of request: SubscribeRequest) -> Rejection? {
        var new = request.entries.count
        if let limit = shard.admission.limits.instruments, held.count + new > limit {
            // Those that it has already, or names twice, are not more.
            new = Set(request.entries.compactMap { try? $0.instrument() }.filter { held[$0] == nil }).count
        }
        return visitor.subscribe(request.entries.count, new: new, held: held.count, now: shard.loop.now)
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

    /// What has become of a key that was looked at. Only one that is nobody's counts as wrong.
    func settle<Value>(_ key: Secret, _ result: Result<Value, Rejection>) {
        let isWrong = if case .failure(let rejection) = result { rejection.code == .authentication } else { false }
        visitor.settle(key, wasRight: !isWrong, now: shard.loop.now)
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
