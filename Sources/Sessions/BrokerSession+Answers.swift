import Adapters
import CFeedhostABI
import Logging
import MarketData
import NIOCore

/// Sending wishes to the broker and taking its answers.
extension BrokerSession {
    func flushAll() {
        for link in links.values { flush(link) }
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
    func flush(_ link: Link) {
        sendLeaving(link)
        while link.isConnected, !link.dirty.isEmpty, link.pacing == nil {
            let handles = Array(link.dirty.prefix(link.batch))
            link.dirty.removeFirst(handles.count)
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

    /// Before anything new: the same instrument may come back in the same flush.
    private func sendLeaving(_ link: Link) {
        var rest = link.leaving[...]
        link.leaving = []
        while link.isConnected, !rest.isEmpty {
            nextRequest += 1
            link.unsubscribe(request: nextRequest, Array(rest.prefix(link.batch)))
            rest = rest.dropFirst(link.batch)
        }
    }

    private func send(_ handles: [UInt32], on link: Link) {
        nextRequest += 1
        let request = nextRequest
        let lines = prepare(handles, on: link, request: request)
        guard !lines.isEmpty else { return }
        for line in lines {
            if asksForBook(line) {
                environment.bus.forgetBook(session: id, instrument: line.handle, before: WallClock.now())
            }
            link.lines[line.handle]?.askedMode = line.wanted.mode
        }
        let status = link.subscribe(request: request, lines)
        // Not connected any more, and the event that says so is on its way. After the next connect all is asked again;
        // should there be no such event, the time-out below answers.
        if status != FH_OK, status != FH_E_STATE {
            logRefusals(
                lines.compactMap { refuse($0.handle, on: link, status: status, "\(broker): \(Link.describe(status))") })
            return
        }
        let index = link.index
        let generation = link.generation
        loop.scheduleTask(in: .milliseconds(adapter.capabilities.timings.ackTimeout)) { [weak self] in
            self?.assumeIsolated { $0.expire(request: request, link: index, generation: generation) }
        }
    }

    /// Whether the broker was last asked for the instrument without a book, here or on the connection that it comes from, and
    /// is now asked for one. What it has answered by now does not matter: from that request on the book may be old.
    private func asksForBook(_ line: Line) -> Bool {
        let elsewhere = departures[line.handle].flatMap { links[$0]?.lines[line.handle]?.askedMode }
        guard line.wanted.mode == .depth, let asked = line.askedMode ?? elsewhere else { return false }
        return asked < .depth
    }

    /// Notes what is about to be asked. What is listed no longer is refused; where the broker has given the token to
    /// another instrument, the old one ends first.
    private func prepare(_ handles: [UInt32], on link: Link, request: UInt64) -> [Line] {
        var lines: [Line] = []
        var recycled: [Line] = []
        var refused: [String] = []
        for handle in handles {
            guard var line = link.lines[handle] else { continue }
            let old = line
            line.isDirty = false
            guard list(&line, on: link) else {
                link.lines[handle] = line
                let text = unlisted(line.instrument).message
                if let text = refuse(handle, on: link, status: fh_status(FH_E_UNKNOWN_INSTRUMENT), text) {
                    refused.append(text)
                }
                continue
            }
            if let former = old.listing, let now = line.listing, !former.isSame(as: now),
                old.isAsked || old.served != nil || old.isUncertain
            {
                recycled.append(old)
                line.served = nil
                line.held = nil
            }
            line.held = line.most
            // The answer to the request before this one will not be looked at any more.
            if old.isAsked { line.isUncertain = true }
            line.phase = .asked(request: request)
            link.lines[handle] = line
            lines.append(line)
        }
        if !recycled.isEmpty {
            nextRequest += 1
            link.unsubscribe(request: nextRequest, recycled)
        }
        logRefusals(refused)
        return lines
    }

    /// What the broker, or the adapter in its place, has said.
    func take(_ results: [SubscriptionResult], request: UInt64, from link: Link) {
        var refused: [String] = []
        var moved: [UInt32] = []
        var hasShrunk = false
        defer {
            logRefusals(refused)
            finishMoves(moved)
            if hasShrunk { watchSurplus() }
        }
        for result in results {
            guard var line = link.lines[result.handle], case .asked(request) = line.phase else { continue }
            guard result.isGranted, let mode = Mode(highestOf: UInt32(result.mode)) ?? Optional(line.wanted.mode) else {
                if let text = refuse(result.handle, on: link, status: result.status, result.message) {
                    refused.append(text)
                }
                continue
            }
            let given = min(mode, line.wanted.mode)
            let granted = References.Demand(
                mode: given,
                depth: given == .depth ? (result.depth == 0 ? line.wanted.depth : result.depth) : 0)
            line.phase = .granted
            line.served = granted
            line.isUncertain = false
            if line.most.isDeep { hasShrunk = hasShrunk || !granted.isDeep }
            line.held = granted
            link.lines[result.handle] = line
            guard placement[result.handle] == link.index else { continue }
            // A line that waits to be sent again has subscribers who want more than this answer gives.
            if !line.isDirty { resume(result.handle, .success(granted)) }
            if departures[result.handle] != nil { moved.append(result.handle) }
        }
    }

    /// A refusal ends the wishes that wait for it; what was served before stays.
    /// - Returns: A sentence for the log.
    private func refuse(_ handle: UInt32, on link: Link, status: fh_status, _ message: String) -> String? {
        guard var line = link.lines[handle] else { return nil }
        let isPlaced = placement[handle] == link.index
        if isPlaced, moveBack(handle, from: link) {
            return "\(line.instrument) on another connection: \(message); it stays where it was"
        }
        let code: FeedError.Code = status == FH_E_UNKNOWN_INSTRUMENT ? .symbolNotFound : .subscription
        let text =
            !message.isEmpty
            ? message
            : status == FH_E_UNKNOWN_INSTRUMENT
                ? "Symbol \(line.instrument.symbol) not found for exchange \(line.instrument.exchange)"
                : "\(broker) has refused \(line.instrument): \(Link.describe(status))"
        line.phase = line.served == nil ? .queued : .granted
        // A later refusal does not undo what an earlier silence may have meant.
        if status == FH_E_TIMEOUT { line.isUncertain = true }
        if !line.isUncertain { line.held = line.served }
        // A line that waits to be sent again gets its answer then.
        if !line.isDirty {
            let error = FeedError(code, text)
            line.refusal = error
            if isPlaced { resume(handle, refused: line.wanted, error) }
        }
        link.lines[handle] = line
        return "\(line.instrument): \(text)"
    }

    /// After a reconnect no client waits for the answer, so the log is where it shows. One line, whatever a client sends.
    private func logRefusals(_ sentences: [String]) {
        guard let first = sentences.first, let suppressed = refusalLines.take(now: Uptime.now()) else { return }
        let others = sentences.count > 1 ? " (and \(sentences.count - 1) more)" : ""
        let before = suppressed > 0 ? " (\(suppressed) lines before this one were left out)" : ""
        logger.info("refused: \(first)\(others)\(before)")
    }

    private func expire(request: UInt64, link index: Int, generation: UInt64) {
        guard let link = links[index], link.generation == generation else { return }
        var refused: [String] = []
        for line in link.lines.values {
            guard case .asked(request) = line.phase else { continue }
            let text = refuse(
                line.handle, on: link, status: fh_status(FH_E_TIMEOUT),
                "\(broker) has not confirmed \(line.instrument) within \(adapter.capabilities.timings.ackTimeout) ms")
            if let text { refused.append(text) }
        }
        logRefusals(refused)
    }
}
