import Adapters
import CFeedhostABI
import Logging
import MarketData
import NIOCore

/// Sending wishes to the broker and taking its answers.
extension BrokerSession {
    func flushAll() {
        for link in orderedLinks { flush(link) }
        closeRetired()
        watchSurplus()
    }

    /// For changes that come up while something is being sent.
    func flushSoon() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.execute { [weak self] in
            self?.assumeIsolated { session in
                session.isFlushScheduled = false
                if !session.isEnded { session.flushAll() }
            }
        }
    }

    /// Sends what has changed on a ready link, in batches and at the rate that the adapter declares.
    func flush(_ link: BrokerLink) {
        for lines in pool.takeLeaving(from: link.index) {
            nextRequest += 1
            link.instance?.unsubscribe(lines.map(SubscriptionRequest.init), request: nextRequest)
        }
        while link.pacing == nil {
            let handles = pool.nextBatch(on: link.index)
            guard !handles.isEmpty else { return }
            send(handles, on: link)
            guard link.kind.perSecond > 0 else { continue }
            let index = link.index
            let step = TimeAmount.nanoseconds(1_000_000_000 / Int64(link.kind.perSecond))
            link.pacing = loop.scheduleTask(in: step) { [weak self] in
                self?.assumeIsolated { session in
                    guard let link = session.links[index] else { return }
                    link.pacing = nil
                    session.flush(link)
                }
            }
        }
    }

    private func send(_ handles: [UInt32], on link: BrokerLink) {
        nextRequest += 1
        let request = nextRequest
        let sending = pool.send(handles, named: listings(handles, on: link), on: link.index, request: request)
        act()
        let unlisted = sending.unlisted.compactMap { handle -> String? in
            guard let instrument = pool.line(handle, on: link.index)?.instrument else { return nil }
            return refuse(
                handle, on: link, status: fh_status(FH_E_UNKNOWN_INSTRUMENT), self.unlisted(instrument).message)
        }
        if !sending.recycled.isEmpty {
            nextRequest += 1
            link.instance?.unsubscribe(sending.recycled.map(SubscriptionRequest.init), request: nextRequest)
        }
        logRefusals(unlisted)
        guard !sending.lines.isEmpty else { return }
        for handle in sending.books {
            environment.bus.forgetBook(session: id, instrument: handle, before: WallClock.now())
        }
        link.instance?.subscribe(sending.lines.map(SubscriptionRequest.init), request: request)
        let (index, generation) = (link.index, generation(of: link))
        loop.scheduleTask(in: .milliseconds(adapter.capabilities.timings.ackTimeout)) { [weak self] in
            self?.assumeIsolated { $0.expire(request: request, link: index, generation: generation) }
        }
    }

    /// What the broker, or the adapter in its place, has said.
    func take(_ results: [SubscriptionResult], request: UInt64, from link: BrokerLink) {
        var refused: [String] = []
        var moved: [UInt32] = []
        var hasShrunk = false
        for result in results where pool.isAwaited(result.handle, request: request, on: link.index) {
            guard result.isGranted else {
                if let text = refuse(result.handle, on: link, status: result.status, result.message) {
                    refused.append(text)
                }
                continue
            }
            let change = pool.grant(
                result.handle, on: link.index, mode: Mode(highestOf: UInt32(result.mode)), depth: result.depth)
            hasShrunk = hasShrunk || change.hasShrunk
            if change.isMoved { moved.append(result.handle) }
        }
        act()
        logRefusals(refused)
        finishMoves(moved)
        if hasShrunk { watchSurplus() }
    }

    /// - Returns: A sentence for the log.
    private func refuse(_ handle: UInt32, on link: BrokerLink, status: fh_status, _ message: String) -> String? {
        guard let instrument = pool.line(handle, on: link.index)?.instrument else { return nil }
        let code: FeedError.Code = status == FH_E_UNKNOWN_INSTRUMENT ? .symbolNotFound : .subscription
        let text =
            !message.isEmpty
            ? message
            : status == FH_E_UNKNOWN_INSTRUMENT
                ? "Symbol \(instrument.symbol) not found for exchange \(instrument.exchange)"
                : "\(broker) has refused \(instrument): \(StatusWords.of(status))"
        let isAnswer = pool.refuse(handle, on: link.index, Pool.Refusal(status), FeedError(code, text))
        act()
        return isAnswer
            ? "\(instrument): \(text)"
            : "\(instrument) on another connection: \(message); it stays where it was"
    }

    /// After a reconnect no client waits for the answer, so the log is where it shows. One line, whatever a client sends.
    private func logRefusals(_ sentences: [String]) {
        guard let first = sentences.first, let suppressed = refusalLines.take(now: Uptime.now()) else { return }
        let others = sentences.count > 1 ? " (and \(sentences.count - 1) more)" : ""
        let before = LogBudget.remark(suppressed)
        logger.info("refused: \(first)\(others)\(before)")
    }

    /// The adapter has not passed the wishes on; what it has answered already stays.
    func subscribeRefused(_ link: BrokerLink, _ status: fh_status, request: UInt64) {
        // Not connected any more, and the event that says so is on its way. After the next connect all is asked again;
        // should there be no such event, the time-out answers.
        guard status != FH_E_STATE else { return }
        let message = "\(broker): \(StatusWords.of(status))"
        let handles = pool.unanswered(request: request, on: link.index, generation: generation(of: link))
        logRefusals(handles.compactMap { refuse($0, on: link, status: status, message) })
    }

    private func expire(request: UInt64, link index: Int, generation: UInt64) {
        guard let link = links[index] else { return }
        logRefusals(
            pool.unanswered(request: request, on: index, generation: generation).compactMap { handle in
                guard let instrument = pool.line(handle, on: index)?.instrument else { return nil }
                return refuse(
                    handle, on: link, status: fh_status(FH_E_TIMEOUT),
                    "\(broker) has not confirmed \(instrument) within \(adapter.capabilities.timings.ackTimeout) ms")
            })
    }
}

extension SubscriptionRequest {
    init(_ line: Line) {
        self.init(
            handle: line.handle, instrument: line.instrument, listing: line.listing, mode: line.wanted.mode,
            depth: line.wanted.mode == .depth ? line.wanted.depth : 0)
    }
}

extension Pool.Refusal {
    fileprivate init(_ status: fh_status) {
        switch Int(status) {
        case Int(FH_E_UNKNOWN_INSTRUMENT): self = .unlisted
        case Int(FH_E_TIMEOUT): self = .timedOut
        default: self = .other
        }
    }
}
