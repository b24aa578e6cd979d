import Logging
import MarketData
import NIOCore

extension Client {
    /// Sends a close frame, gives everything back, and waits a little for the answer.
    func close(_ reason: CloseReason) {
        guard isOpen else { return }
        ending = .closing(shard.loop.now + shard.configuration.closeTimeout)
        retire()
        outbox.seal(with: .closeFrame(reason.code, reason.text))
        // The answer must get through even when too many requests waited.
        readMessages()
    }

    /// The client takes nothing: its close frame will hardly reach it either.
    func closeSlow() {
        guard isOpen else { return }
        shard.counters.slowClosed.add()
        shard.log.write(.info, "client reads too slowly and is cut off", now: shard.loop.now)
        close(.slowConsumer)
    }

    /// After a violation nothing that the client sends means anything; it is read to the end only because a socket that
    /// is closed with unread bytes takes the close frame back (RFC 6455 section 7.1.1).
    func stopListening() {
        if case .closing(let deadline) = ending { ending = .deaf(deadline) }
    }

    /// Answers the client's close frame, or takes it as the answer to ours.
    func answerClose(_ code: UInt16?) {
        guard isOpen else { return drop() }
        let deadline = shard.loop.now + shard.configuration.closeTimeout
        ending = .deaf(deadline)
        retire()
        outbox.seal(with: .closeFrame(code)) { [weak self] in self?.drop() }
    }

    /// The connection no longer exists.
    func gone() {
        if case .gone = ending { return }
        ending = .gone
        retire()
        outbox.discard()
        detachSocket()
        shard.remove(self)
    }

    /// Leaves everything: no tick and no order update is queued any more, no request is served.
    private func retire() {
        requests.removeAll()
        leaveOrders()
        shard.routes.dismiss(outbox)
        shard.leave(abandonStreams())
        releaseIfIdle()
    }

    /// Everything that the client holds; the references go to what is to be given back.
    func abandonStreams() -> [Subscription] {
        var subscriptions: [Subscription] = []
        for each in held.values { subscriptions += each }
        for subscription in subscriptions { abandoned.append(subscription.route) }
        held = [:]
        return subscriptions
    }

    /// Gives the session back, unless a request still works with it: then that does so at its end.
    func releaseIfIdle() {
        guard !isOpen, !requests.isBusy else { return }
        if let lease = takeLease() { shard.perform({ await lease.release() }, then: {}) }
        standing = .anonymous
    }

    /// What this client has of its session, to be given back by the caller.
    func takeLease() -> Lease? {
        guard let session = standing.session else { return nil }
        defer {
            abandoned = []
            orders.holdsStream = false
        }
        return Lease(
            session: session, routes: abandoned, holdsOrders: orders.holdsStream,
            directory: shard.configuration.directory)
    }
}

/// A client's hold on a session.
struct Lease: Sendable {
    let session: any MarketSession
    let routes: [RouteKey]
    let holdsOrders: Bool
    let directory: any SessionDirectory

    func release() async {
        if !routes.isEmpty { await session.unsubscribe(routes) }
        if holdsOrders { await session.stopOrders() }
        await directory.detach(session)
    }
}
