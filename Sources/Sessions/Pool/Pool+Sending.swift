import Adapters
import MarketData

/// What is sent to the broker.
extension Pool {
    /// What a request comes to, in the order in which it is to be done.
    struct Sending {
        /// What the master has no longer, to be refused.
        var unlisted: [UInt32] = []
        /// What the broker is to end first: it has given these tokens to other instruments.
        var recycled: [Line] = []
        /// Instruments whose book is to be forgotten.
        var books: [UInt32] = []
        /// What the broker is to be asked for.
        var lines: [Line] = []
    }

    /// What the broker is to be told to end, a call each. Before anything new: the same instrument may come back in the
    /// same flush.
    mutating func takeLeaving(from link: Int) -> [[Line]] {
        guard let leaving = links[link]?.leaving, !leaving.isEmpty, let batch = links[link]?.batch else { return [] }
        links[link]?.leaving = []
        guard isConnected(link) else { return [] }
        return stride(from: 0, to: leaving.count, by: min(batch, leaving.count)).map {
            Array(leaving[$0..<min($0 + min(batch, leaving.count), leaving.count)])
        }
    }

    /// What is to be sent next, as much as one call takes; empty when there is nothing, or nobody to send it to. It must be
    /// passed to ``send(_:named:on:request:)``.
    mutating func nextBatch(on link: Int) -> [UInt32] {
        guard isConnected(link), let handles = links[link].map({ Array($0.dirty.prefix($0.batch)) }), !handles.isEmpty
        else { return [] }
        links[link]?.dirty.removeFirst(handles.count)
        return handles
    }

    /// Notes what is about to be asked.
    /// - Parameter listings: What the broker calls the instruments now; what is not among them is listed no longer. Nil when
    ///   it gets their names as they are.
    mutating func send(
        _ handles: [UInt32], named listings: [UInt32: Listing]?, on link: Int, request: UInt64
    ) -> Sending {
        var sending = Sending()
        for handle in handles {
            guard var line = line(handle, on: link) else { continue }
            let old = line
            line.isDirty = false
            // The answer to the request before this one will not be looked at any more.
            if old.isAsked { line.isUncertain = true }
            if let listings {
                guard let listing = listings[handle] else {
                    links[link]?.lines[handle] = line
                    sending.unlisted.append(handle)
                    continue
                }
                if let former = line.listing { queue(.forget(handle, former, link: link)) }
                line.listing = listing
                queue(.register(handle, listing, link: link))
            }
            if let former = old.listing, let now = line.listing, !former.isSame(as: now), old.mayBeKnown {
                sending.recycled.append(old)
                line.served = nil
                line.held = nil
            }
            line.held = line.most
            line.phase = .asked(request: request)
            if asksForBook(line) { sending.books.append(handle) }
            line.asked = line.wanted
            links[link]?.lines[handle] = line
            sending.lines.append(line)
        }
        return sending
    }

    /// Whether the broker was last asked for the instrument without a book, here or on the connection that it comes from, and
    /// is now asked for one. What it has answered by now does not matter: from that request on the book may be old.
    private func asksForBook(_ line: Line) -> Bool {
        let elsewhere = departures[line.handle].flatMap { self.line(line.handle, on: $0)?.asked }
        guard line.wanted.mode == .depth, let asked = line.asked ?? elsewhere else { return false }
        return asked.mode < .depth
    }
}

extension Listing {
    /// True when the broker calls both by the same name.
    fileprivate func isSame(as other: Listing) -> Bool {
        brokerToken == other.brokerToken && brokerExchange == other.brokerExchange
    }
}
