import CZeroMQ
import MarketData

/// The socket where publishers from outside connect: an OpenAlgo installation's own adapters, its Flask process, feeds.
extension PublisherLoop {
    /// Bytes of one message; a larger one is counted as bad.
    private static let maximumPayload = 1 << 20
    private static let maximumTopic = 512

    /// Reads up to `limit` messages.
    func readFanIn(limit: Int) -> Int {
        var count = 0
        while count < limit, fanIn.receive(into: message) {
            count += 1
            let topic = message.bytes
            guard message.hasMore, topic.count <= PublisherLoop.maximumTopic else {
                fanIn.skipRest(message)
                bad("a message that is not topic and payload")
                continue
            }
            let known = external.resolve(topic)
            let control = known == nil ? String(validating: topic, as: UTF8.self) : nil
            guard fanIn.receive(into: payload) else { break }
            guard !payload.hasMore, payload.bytes.count <= PublisherLoop.maximumPayload else {
                fanIn.skipRest(payload)
                bad("a message of more than two frames or 1 MiB")
                continue
            }
            if let known {
                relay(known)
            } else {
                handleControl(control)
            }
        }
        if count > 0 {
            message.empty()
            payload.empty()
        }
        return count
    }

    /// Passes a tick on as it is to every route that it serves, and keeps it as the last value.
    private func relay(_ known: ExternalTopics.Known) {
        guard JSONCheck.isObject(payload.bytes) else {
            bad("a tick that is not a JSON object")
            return
        }
        counters.externalMessages.count()
        let (entry, mode) = (known.entry, known.mode)
        let now = monotonicSeconds()
        entry.note(mode, now: now)
        entry.keep(payload.bytes, mode)
        for want in entry.wants where entry.serves(want.key.mode, from: mode, now: now) {
            var rest = want.readers
            while rest != 0 {
                let reader = UInt8(truncatingIfNeeded: rest.trailingZeroBitCount)
                rest &= rest &- 1
                sendInner(payload.bytes, want.key, reader: reader, snapshot: false)
            }
        }
    }

    /// Order updates (`BROKER_user_orders`) and token changes (`CACHE_INVALIDATE_ALL_user`), client-protocol.md section 6.
    private func handleControl(_ topic: String?) {
        guard let topic else { return bad("a topic that is not UTF-8") }
        if topic.hasPrefix("CACHE_INVALIDATE_") {
            // The user is what follows the kind; names may hold `_`.
            let user = topic.dropFirst("CACHE_INVALIDATE_".count).drop { $0 != "_" }.dropFirst()
            if !user.isEmpty { events.invalidated(String(user)) }
        } else if topic.hasSuffix("_orders") {
            guard JSONCheck.isObject(payload.bytes) else { return bad("an order update that is not a JSON object") }
            // Brokers' names may hold `_` as users' do, so the message itself is asked first.
            let named = topic.dropLast("_orders".count).drop { $0 != "_" }.dropFirst()
            let user = JSONCheck.text(of: "user_id", in: payload.bytes) ?? String(named)
            guard !user.isEmpty else { return bad("an order update without a user") }
            relayOrder(OrderHeader(user: user, reading: payload.bytes), payload.bytes)
        } else {
            counters.externalUnknown.count()
        }
    }

    /// Hands an order update to every reader, whose clients of that user get it; the public socket carries none.
    func relayOrder(_ header: OrderHeader, _ json: UnsafeRawBufferPointer) {
        counters.orders.count()
        counters.innerDrops.count(readers.send(header, json))
    }

    private func bad(_ what: String) {
        counters.externalBad.count()
        let now = monotonicSeconds()
        guard now != lastComplaint else { return }
        lastComplaint = now
        events.badExternal(what)
    }

    private func monotonicSeconds() -> Int { Int(Uptime.now() / 1_000_000_000) }
}
