import MarketData

extension Client {
    func unsubscribe(_ request: UnsubscribeRequest) {
        guard let session = standing.session else { return reject(.noSession) }
        var work = UnsubscribeWork(session: session, requestID: requests.requestID)
        var leaving: [Subscription] = []
        switch request {
        case .all:
            for (written, subscriptions) in held {
                leaving += subscriptions
                // One entry for each mode; several depths of one are one to the client.
                let modes = subscriptions.count > 1 ? Set(subscriptions.map(\.mode)).count : subscriptions.count
                for _ in 0..<modes { work.entries.append(.left(written)) }
            }
            held = [:]
        case .entries(let entries, let common):
            for entry in entries {
                do throws(Rejection) {
                    let written = try entry.instrument()
                    let mode: Mode? = if let field = entry.mode ?? common { try Mode(field: field) } else { nil }
                    leaving += take(written, mode)
                    // Also for what it does not hold: afterwards it does not hold it, which is what it wants.
                    work.entries.append(.left(written))
                } catch {
                    work.entries.append(.failed(entry, error))
                }
            }
        }
        for subscription in leaving { work.routes.append(subscription.route) }
        shard.leave(leaving) { [self, work] in
            shard.routes.settle()
            shard.perform({ await work.run() }) { [self] reply in
                send(reply)
                finish()
            }
        }
    }

    /// Takes an instrument's subscriptions of one mode, or of all, out of what the client holds.
    private func take(_ written: Instrument, _ mode: Mode?) -> [Subscription] {
        guard let subscriptions = held[written] else { return [] }
        let kept = subscriptions.filter { mode != nil && $0.mode != mode }
        held[written] = kept.isEmpty ? nil : kept
        return subscriptions.filter { mode == nil || $0.mode == mode }
    }
}
