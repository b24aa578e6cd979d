import Adapters
import MarketData
import NIOCore

/// What clients want, turned into lines of links, and what they are told.
extension BrokerSession {
    /// Counts a wish that has passed ``refusal(of:hints:)``, and finds a place for it.
    func note(_ wish: Wish) throws(FeedError) -> RouteKey {
        let capabilities = adapter.capabilities
        let instrument = wish.instrument
        guard !isEnded, let handle = environment.instruments.handle(of: instrument) else {
            throw FeedError(.subscription, "Symbol \(instrument.symbol) cannot be subscribed now")
        }
        let depth = capabilities.depth(wish: wish.depth, exchange: instrument.exchange)
        let key = RouteKey(
            session: id, instrument: handle, mode: wish.mode, depth: UInt16(clamping: depth), suffix: wish.suffix)
        pool.add(key)
        do {
            let missing = try pool.place(handle, instrument, isNew: true)
            if let missing { pool.move(handle, instrument, to: try openLink(kind: missing).index) }
        } catch {
            pool.remove(key)
            throw error
        }
        act()
        return key
    }

    /// After references were given back. The caller flushes.
    func adjust(_ handle: UInt32) {
        if let missing = pool.adjust(handle), let instrument = pool.line(handle)?.instrument {
            do {
                pool.move(handle, instrument, to: try openLink(kind: missing).index)
            } catch {
                pool.stay(handle)
            }
        }
        pool.answerRefused(handle)
        act()
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
        let actual = RouteKey(
            session: id, instrument: key.instrument, mode: .depth, depth: UInt16(clamping: served.depth),
            suffix: key.suffix)
        pool.replace(key, with: actual)
        return .success(WishOutcome.Grant(route: actual, depth: served.depth, pending: false))
    }

    /// What the broker serves of an instrument, now or when it has answered.
    private func answer(_ key: RouteKey, until patience: Patience) async -> Line.Answer {
        let demand = References.Demand(mode: key.mode, depth: Int(key.depth))
        if let answer = pool.answer(demand, of: key.instrument) { return answer }
        let now = NIODeadline.now()
        let isUnsent = pool.line(key.instrument)?.isDirty == true
        if now >= patience.answer || isUnsent && now >= patience.sending { return .failure(.queued) }
        return await withCheckedContinuation { continuation in
            waiters.add(
                Suspended(deadline: patience.answer, continuation: continuation), for: key.instrument, wanting: demand)
        }
    }

    /// Ends a wish that came to nothing; others may still want the instrument.
    private func giveBack(_ key: RouteKey, _ error: FeedError) -> FeedError {
        pool.remove(key)
        adjust(key.instrument)
        flushAll()
        return error
    }
}
