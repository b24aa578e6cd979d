import Adapters
import MarketData
import NIOCore

/// What clients want, turned into lines of links, and what they are told.
extension BrokerSession {
    /// Counts a wish that has passed ``refusal(of:hints:)``, and finds a place for it.
    func note(_ wish: Wish) throws(FeedError) -> RouteKey {
        let capabilities = adapter.capabilities
        let instrument = wish.instrument
        guard !isEnded, let handle = environment.registry.handle(of: instrument) else {
            throw FeedError(.subscription, "Symbol \(instrument.symbol) cannot be subscribed now")
        }
        let depth = capabilities.depth(wish: wish.depth, exchange: instrument.exchange)
        let key = RouteKey(
            session: id, instrument: handle, mode: wish.mode, depth: UInt16(clamping: depth), suffix: wish.suffix)
        references.add(key)
        do {
            try place(handle, instrument, isNew: true)
        } catch {
            references.remove(key)
            throw error
        }
        return key
    }

    /// Brings an instrument's line in step with what is wanted of it.
    /// - Parameter isNew: True for somebody new, for whom what was refused before is asked for again.
    private func place(_ handle: UInt32, _ instrument: Instrument, isNew: Bool = false) throws(FeedError) {
        guard let demand = references.demand(handle) else { return }
        let kind = try kind(for: demand)
        let old = placement[handle].flatMap { links[$0] }
        if let old, old.kindIndex == kind, hasRoom(old, for: demand, of: handle) {
            update(old, handle, demand, isNew: isNew)
            return
        }
        // The place is found before the old one is given up: whoever is served keeps that when there is none.
        let link = try linkWithRoom(kind: kind, for: demand, of: handle)
        move(handle, instrument, demand, to: link)
    }

    private func update(_ link: Link, _ handle: UInt32, _ demand: References.Demand, isNew: Bool) {
        guard let line = link.lines[handle] else { return }
        let isMissing = isNew && !line.isAsked && line.served?.covers(demand) != true
        guard line.wanted != demand || isMissing else { return }
        link.lines[handle]?.wanted = demand
        link.markDirty(handle)
    }

    /// After references were given back: a lower demand is passed on, none ends the line. The caller flushes.
    func adjust(_ handle: UInt32) {
        guard let index = placement[handle], let link = links[index], let line = link.lines[handle] else { return }
        guard let demand = references.demand(handle) else {
            drop(handle)
            environment.bus.untrack(session: id, instrument: handle)
            return
        }
        do {
            try place(handle, line.instrument)
        } catch {
            // The connection that is meant for less is full: it stays where it is, and gets too much if need be.
            if link.kind.carries(demand.mode) { update(link, handle, demand, isNew: false) }
        }
        // Nothing is asked any more for those who were waiting for less than was refused.
        guard let line = links[index]?.lines[handle], !line.isAsked, !line.isDirty, let refusal = line.refusal else {
            return
        }
        resume(handle, .failure(refusal))
    }

    /// Waits for what the broker says to a wish.
    /// - Parameter patience: Until when it may wait.
    func settle(
        _ key: RouteKey, _ wish: Wish, until patience: Patience
    ) async -> Result<WishOutcome.Grant, FeedError> {
        let policy = adapter.capabilities.depth(wish: wish.depth, exchange: wish.instrument.exchange)
        let served: References.Demand
        switch await answer(key, until: patience) {
        case .success(let granted): served = granted
        case .failure(.queued): return .success(WishOutcome.Grant(route: key, depth: policy, pending: true))
        case .failure(let error): return .failure(giveBack(key, error))
        }
        guard served.mode >= key.mode else {
            return .failure(
                giveBack(
                    key,
                    FeedError(
                        .subscription,
                        "\(broker) grants \(wish.instrument) in a lower mode than \(key.mode.label) only")))
        }
        guard key.mode == .depth, served.depth < Int(key.depth) else {
            return .success(WishOutcome.Grant(route: key, depth: policy, pending: false))
        }
        // The broker gives fewer levels than it declares: the route is what it gives.
        references.remove(key)
        let actual = RouteKey(
            session: id, instrument: key.instrument, mode: .depth, depth: UInt16(clamping: served.depth),
            suffix: key.suffix)
        references.add(actual)
        align(key.instrument)
        return .success(WishOutcome.Grant(route: actual, depth: served.depth, pending: false))
    }

    /// What the broker serves of an instrument, now or when it has answered.
    private func answer(_ key: RouteKey, until patience: Patience) async -> Line.Answer {
        guard let index = placement[key.instrument], let link = links[index], let line = link.lines[key.instrument]
        else { return .failure(.unsubscribed) }
        if case .failed(let error) = link.state { return .failure(error) }
        guard link.isConnected else { return .failure(.queued) }
        let demand = References.Demand(mode: key.mode, depth: Int(key.depth))
        if let served = line.served, served.covers(demand) { return .success(served) }
        if let refusal = line.refusal { return .failure(refusal) }
        // All that was wanted was asked for, and this little was granted.
        if let served = line.served, case .granted = line.phase, !line.isDirty { return .success(served) }
        let now = NIODeadline.now()
        if now >= patience.answer || line.isDirty && now >= patience.sending { return .failure(.queued) }
        return await withCheckedContinuation { continuation in
            waiters.add(
                Suspended(deadline: patience.answer, continuation: continuation), for: key.instrument, wanting: demand)
        }
    }

    /// Ends a wish that came to nothing; others may still want the instrument.
    private func giveBack(_ key: RouteKey, _ error: FeedError) -> FeedError {
        references.remove(key)
        adjust(key.instrument)
        flushAll()
        return error
    }

    /// Notes a demand that has shrunk to what is served already: there is nothing to tell the broker.
    private func align(_ handle: UInt32) {
        guard let index = placement[handle], let line = links[index]?.lines[handle], !line.isDirty,
            let demand = references.demand(handle), line.served?.covers(demand) == true
        else { return }
        links[index]?.lines[handle]?.wanted = demand
    }
}

extension FeedError {
    /// Not an error to clients: the wish waits for the next connect, or for its turn.
    static let queued = FeedError(Code(rawValue: "PENDING"), "queued")
    static let unsubscribed = FeedError(.subscription, "unsubscribed before the broker had answered")
}
