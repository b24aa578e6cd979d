import Logging
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

    /// After a violation nothing that the client sends means anything but that it closes as well. This half of the connection
    /// ends behind our close frame, so that nobody waits for a deadline; the other is read to its end, because a socket that
    /// is closed with unread bytes takes the close frame back (RFC 6455 section 7.1.1).
    func fail(_ reason: CloseReason) {
        let isSaid = !isOpen
        let deadline =
            if case .closing(let deadline) = ending { deadline } else {
                shard.loop.now + shard.configuration.closeTimeout
            }
        ending = .failed(deadline)
        let hasClose = reader.skipToClose()
        // We were waiting for an answer, and this is what came instead.
        guard !isSaid else {
            if hasClose { drop() }
            return
        }
        retire()
        outbox.seal(with: .closeFrame(reason.code, reason.text)) { [weak self] in
            if hasClose { self?.drop() } else { self?.socket.closeOutput() }
        }
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
        visitor.leave(now: shard.loop.now)
        shard.counters.giveBack(window: window)
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
        for index in attachments.indices { attachments[index].streams = 0 }
        tally?.removeAll()
        return subscriptions
    }

    /// Gives the sessions back, unless a request still works with them: then that does so at its end.
    func releaseIfIdle() {
        guard !isOpen, !requests.isBusy else { return }
        shard.giveBack(takeLeases())
        standing = .anonymous
        unsettled = nil
        shownKey = nil
    }
}
