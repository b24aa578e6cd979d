import Adapters
import MarketData

/// What clients want, turned into lines of connections, and what they can be told at once.
extension Pool {
    /// Counts a wish. The caller finds a place for it with ``place(_:_:isNew:)``, or gives it back.
    mutating func add(_ key: RouteKey) { references.add(key) }

    /// Gives a wish back without a look at what follows from it: ``adjust(_:)`` has it.
    /// - Returns: False if nobody held that reference.
    @discardableResult
    mutating func remove(_ key: RouteKey) -> Bool { references.remove(key) }

    /// Brings an instrument's line in step with what is wanted of it.
    /// - Parameter isNew: True for somebody new, for whom what was refused before is asked for again.
    /// - Returns: The kind of connection that has to be opened first; then it is to be moved there with ``move(_:_:to:)``.
    mutating func place(
        _ handle: UInt32, _ instrument: Instrument, isNew: Bool = false
    ) throws(FeedError) -> Int? {
        guard let demand = references.demand(handle) else { return nil }
        let kind = try kind(for: demand)
        if let old = placement[handle], links[old]?.kindIndex == kind,
            links[old]?.hasRoom(for: demand, of: handle) == true
        {
            update(old, handle, demand, isNew: isNew)
            return nil
        }
        // The place is found before the old one is given up: whoever is served keeps that when there is none.
        switch try room(kind: kind, for: demand, of: handle) {
        case .new(let kind): return kind
        case .on(let link):
            keep(link)
            move(handle, instrument, demand, to: link)
            return nil
        }
    }

    /// Puts an instrument on a connection that was opened for it.
    mutating func move(_ handle: UInt32, _ instrument: Instrument, to link: Int) {
        guard let demand = references.demand(handle) else { return }
        move(handle, instrument, demand, to: link)
    }

    private mutating func update(_ link: Int, _ handle: UInt32, _ demand: References.Demand, isNew: Bool) {
        guard let line = line(handle, on: link) else { return }
        let isMissing = isNew && !line.isAsked && line.served?.covers(demand) != true
        guard line.wanted != demand || isMissing else { return }
        links[link]?.lines[handle]?.wanted = demand
        links[link]?.markDirty(handle)
    }

    /// After references were given back: a lower demand is passed on, none ends the line. The caller flushes.
    /// - Returns: The kind of connection that has to be opened first: then ``move(_:_:to:)`` is to be called, or
    ///   ``stay(_:)`` if it cannot be opened, and ``answerRefused(_:)`` in any case.
    mutating func adjust(_ handle: UInt32) -> Int? {
        guard let line = line(handle) else { return nil }
        guard references.demand(handle) != nil else {
            drop(handle)
            queue(.untrack(handle))
            return nil
        }
        do throws(FeedError) {
            return try place(handle, line.instrument)
        } catch {
            stay(handle)
            return nil
        }
    }

    /// The connection that is meant for less is full: the instrument stays where it is, and gets too much if need be.
    mutating func stay(_ handle: UInt32) {
        guard let link = placement[handle], let demand = references.demand(handle),
            links[link]?.kind.carries(demand.mode) == true
        else { return }
        update(link, handle, demand, isNew: false)
    }

    /// Nothing is asked any more for those who were waiting for less than was refused.
    mutating func answerRefused(_ handle: UInt32) {
        guard let line = line(handle), !line.isAsked, !line.isDirty, let refusal = line.refusal else { return }
        queue(.answer(handle, .failure(refusal)))
    }

    /// Puts what the broker grants in the place of what was wished for. There is nothing to tell it when the demand has
    /// shrunk to what is served already.
    mutating func replace(_ key: RouteKey, with actual: RouteKey) {
        references.remove(key)
        references.add(actual)
        guard let link = placement[actual.instrument], let line = line(actual.instrument, on: link), !line.isDirty,
            let demand = references.demand(actual.instrument), line.served?.covers(demand) == true
        else { return }
        links[link]?.lines[actual.instrument]?.wanted = demand
    }

    /// What can be told at once to somebody with that demand; nil when the broker's answer has to be awaited.
    func answer(_ demand: References.Demand, of handle: UInt32) -> Line.Answer? {
        guard let link = placement[handle], let line = line(handle, on: link) else { return .failure(.unsubscribed) }
        if case .failed(let error) = state(link) { return .failure(error) }
        guard isConnected(link) else { return .failure(.queued) }
        if let served = line.served, served.covers(demand) { return .success(served) }
        if let refusal = line.refusal { return .failure(refusal) }
        // All that was wanted was asked for, and this little was granted.
        if let served = line.served, case .granted = line.phase, !line.isDirty { return .success(served) }
        return nil
    }
}

extension FeedError {
    /// Not an error to clients: the wish waits for the next connect, or for its turn.
    static let queued = FeedError(Code(rawValue: "PENDING"), "queued")
    static let unsubscribed = FeedError(.subscription, "unsubscribed before the broker had answered")
}
