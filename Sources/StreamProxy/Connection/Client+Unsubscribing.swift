import MarketData

extension Client {
    func unsubscribe(_ request: UnsubscribeRequest) {
        guard let account = standing.account, let broker = request.broker ?? usualBroker,
            request.broker != nil || !attachments.isEmpty
        else { return reject(.noSession) }
        let isPermitted = account.permitted(broker: broker) != nil
        var work = UnsubscribeWork(
            broker: session(of: broker)?.broker ?? broker, requestID: requests.requestID)
        var leaving: [Subscription] = []
        switch request.what {
        case .all:
            guard isPermitted else { return reject(.notPermitted(broker: broker)) }
            for written in Array(held.keys) {
                let subscriptions = take(written, nil, of: attachments.filter { covers(request, $0) })
                leaving += subscriptions
                // One entry for each mode; several depths of one are one to the client.
                for attachment in attachments where covers(request, attachment) {
                    let own = subscriptions.filter { $0.route.session == attachment.session.id }
                    for _ in 0..<(own.count > 1 ? Set(own.map(\.mode)).count : own.count) {
                        work.entries.append(.left(written, broker: attachment.session.broker))
                    }
                }
            }
        case .entries(let entries, let common):
            for entry in entries {
                do throws(Rejection) {
                    guard isPermitted else { throw .notPermitted(broker: broker) }
                    let written = try entry.instrument()
                    let mode: Mode? = if let field = entry.mode ?? common { try Mode(field: field) } else { nil }
                    let holder = attachments.first { covers(request, $0) && holds(written, mode, of: $0) }
                    if let holder { leaving += take(written, mode, of: [holder]) }
                    // Also for what it does not hold: afterwards it does not hold it, which is what it wants.
                    work.entries.append(.left(written, broker: holder?.session.broker ?? work.broker))
                } catch {
                    work.entries.append(.failed(entry, error))
                }
            }
        }
        work.leases = leases(of: leaving.map(\.route))
        let directory = shard.configuration.directory
        shard.leave(leaving) { [self, work] in
            shard.routes.settle()
            let time = timeLeft
            shard.perform({ await work.run(directory, within: time) }) { [self] reply in
                send(reply)
                finish()
            }
        }
    }

    /// Whether a request means that broker: without `broker` it means all, the usual one first.
    private func covers(_ request: UnsubscribeRequest, _ attachment: Attachment) -> Bool {
        request.broker.map { $0 == attachment.broker } ?? true
    }

    private func holds(_ written: Instrument, _ mode: Mode?, of attachment: Attachment) -> Bool {
        held[written]?.contains {
            $0.route.session == attachment.session.id && (mode == nil || $0.mode == mode)
        } ?? false
    }

    /// Takes an instrument's subscriptions of one mode, or of all, out of what the client holds of some brokers.
    private func take(_ written: Instrument, _ mode: Mode?, of brokers: [Attachment]) -> [Subscription] {
        let leaving = (held[written] ?? []).filter { subscription in
            (mode == nil || subscription.mode == mode)
                && brokers.contains { $0.session.id == subscription.route.session }
        }
        letGo(leaving, of: written)
        return leaving
    }
}
