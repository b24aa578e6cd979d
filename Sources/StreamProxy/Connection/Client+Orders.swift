import Logging
import MarketData
import NIOCore

/// What a client has to do with its user's order updates.
struct OrderInterest {
    /// In the shard's list of listeners.
    var isListening = false
    /// Holds a reference of the session's order stream.
    var holdsStream = false
    /// Updates that came before the acknowledgement; nil when none are held back.
    var early: [ByteBuffer]?
}

extension Client {
    /// The broker is asked for its order stream. Whether it has one is no matter of the client's: updates may come from
    /// publishers outside, so the request succeeds in any case, as it does with OpenAlgo.
    func subscribeOrders() {
        guard let account = standing.account else { return reject(.noSession) }
        guard !orders.isListening else { return finish(Replies.orders(subscribed: true)) }
        orders.isListening = true
        orders.early = []
        shard.orders.add(self, user: account.user)
        guard let session = standing.session else { return acknowledgeOrders() }
        shard.perform {
            do {
                try await session.startOrders()
                return FeedError?.none
            } catch {
                return error as? FeedError ?? FeedError(.broker, "\(error)")
            }
        } then: { [self] error in
            orders.holdsStream = error == nil
            if let error {
                shard.log.write(
                    .debug, "no order updates from the broker", now: shard.loop.now, ["why": "\(error.message)"])
            }
            acknowledgeOrders()
        }
    }

    /// The acknowledgement first, then updates.
    private func acknowledgeOrders() {
        let early = orders.early ?? []
        orders.early = nil
        guard isOpen else { return finish() }
        queue(Replies.orders(subscribed: true).adding("request_id", requests.requestID).jsonBytes)
        for update in early { queue(update) }
        outbox.flush()
        finish()
    }

    /// Takes an update for the client; it is never dropped.
    func receiveOrder(_ update: ByteBuffer) {
        if orders.early != nil { orders.early?.append(update) } else { send(update) }
    }

    func unsubscribeOrders() {
        leaveOrders()
        guard orders.holdsStream, let session = standing.session else {
            return finish(Replies.orders(subscribed: false))
        }
        orders.holdsStream = false
        shard.perform({ await session.stopOrders() }) { [self] in finish(Replies.orders(subscribed: false)) }
    }

    /// No update is queued any more. The session's reference stays, to be given back where waiting is possible.
    func leaveOrders() {
        guard orders.isListening, let account = standing.account else { return }
        orders.isListening = false
        shard.orders.remove(self, user: account.user)
    }
}
