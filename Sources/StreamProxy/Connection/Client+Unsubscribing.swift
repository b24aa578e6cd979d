import MarketData

extension Client {
    func unsubscribe(_ request: UnsubscribeRequest) {
        guard let session = standing.session else { return reject(.noSession) }
        var leaving: [Subscription] = []
        var successful: [JSONValue] = []
        var failed: [JSONValue] = []
        switch request {
        case .all:
            for (written, subscriptions) in held {
                // One entry for each mode; several depths of one are one to the client.
                let modes = Set(subscriptions.map(\.mode)).count
                successful += Array(repeating: Replies.left(written, broker: session.broker), count: modes)
                leaving += subscriptions
            }
            held = [:]
        case .entries(let entries, let common):
            for entry in entries {
                do throws(Rejection) {
                    let written = try entry.instrument()
                    let mode: Mode? = if let field = entry.mode ?? common { try Mode(field: field) } else { nil }
                    leaving += take(written, mode)
                    // Also for what it does not hold: afterwards it does not hold it, which is what it wants.
                    successful.append(Replies.left(written, broker: session.broker))
                } catch {
                    failed.append(Replies.failed(entry, error, broker: session.broker))
                }
            }
        }
        let reply = Replies.unsubscribed(successful, failed: failed, broker: session.broker)
        leave(leaving, of: session) { [self] in finish(reply) }
    }

    /// Takes an instrument's subscriptions of one mode, or of all, out of what the client holds.
    private func take(_ written: Instrument, _ mode: Mode?) -> [Subscription] {
        guard let subscriptions = held[written] else { return [] }
        let kept = subscriptions.filter { mode != nil && $0.mode != mode }
        held[written] = kept.isEmpty ? nil : kept
        return subscriptions.filter { mode == nil || $0.mode == mode }
    }

    private func leave(
        _ subscriptions: [Subscription], of session: any MarketSession, then finish: @escaping () -> Void
    ) {
        guard !subscriptions.isEmpty else { return finish() }
        for subscription in subscriptions { shard.routes.leave(subscription) }
        outbox.forgetLeftStreams()
        let routes = subscriptions.map(\.stream.key.route)
        shard.perform({ await session.unsubscribe(routes) }, then: finish)
    }
}
