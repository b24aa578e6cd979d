/// Finds clients with the same streams. Confined to its loop.
///
/// What changes in a client's set is only noted for as long as others share its cohort; at the end of the turn, or before the
/// next message, the client moves to those who have the set that it has now. So a thousand clients that subscribe to the
/// same symbols one by one, in step, cost a move each time and no copy of what they have. Who has a cohort alone changes it
/// at once.
final class CohortTable {
    private struct Key: Hashable {
        var fingerprint: Fingerprint
        var count: Int
        let wire: Cohort.Wire
    }

    /// A client whose set is another than its cohort's, or whose cohort is not in the table.
    private struct Unsettled {
        let outbox: Outbox
        /// What its set is to gain and to lose, in order.
        var changes: ContiguousArray<Change> = []
    }

    struct Change {
        let stream: Stream
        let isGain: Bool
    }

    private var cohorts: [Key: Cohort] = [:]
    private var unsettled: ContiguousArray<Unsettled> = []
    /// Those that keep a list of their seats by stream, because they have lost streams lately.
    private var indexed: ContiguousArray<Cohort> = []
    /// Seats that were taken, given up or copied: what changes cost, for tests to count.
    private(set) var steps = 0

    /// Somebody's set has changed and is not settled yet.
    var isUnsettled: Bool { !unsettled.isEmpty }

    func insert(_ stream: Stream, for outbox: Outbox) { change(outbox, Change(stream: stream, isGain: true)) }

    func remove(_ stream: Stream, for outbox: Outbox) {
        // A client that was dismissed is on no list any more.
        guard let cohort = outbox.cohort else { return }
        // What has come before is sent before the client is told that it has left.
        cohort.catchUp(outbox)
        change(outbox, Change(stream: stream, isGain: false))
    }

    func dismiss(_ outbox: Outbox) {
        guard let cohort = outbox.cohort else { return }
        if let place = outbox.unsettledPlace { unsettled[place].changes = [] }
        leave(cohort, outbox, isMoving: false)
    }

    /// Puts clients with changed sets together with those who have the same.
    func settle() {
        guard !unsettled.isEmpty else { return }
        for place in unsettled.indices {
            let outbox = unsettled[place].outbox
            outbox.unsettledPlace = nil
            guard let cohort = outbox.cohort else { continue }
            if unsettled[place].changes.isEmpty {
                if !cohort.isSettled { settle(cohort, of: outbox) }
            } else {
                settle(unsettled[place].changes, of: outbox, in: cohort)
            }
        }
        unsettled.removeAll(keepingCapacity: unsettled.count < 1_024)
    }

    /// Gives back what only changes need, now and then.
    func trim() {
        for cohort in indexed where cohort.isSettled { cohort.forgetPlaces() }
        indexed.removeAll { $0.isSettled }
    }

    /// What is noted of a client and not done yet.
    func noted(of outbox: Outbox) -> ContiguousArray<Change> {
        outbox.unsettledPlace.map { unsettled[$0].changes } ?? []
    }

    // MARK: Changes

    private func change(_ outbox: Outbox, _ change: Change) {
        let place = note(outbox)
        guard let cohort = outbox.cohort else {
            let own = Cohort(wire: outbox.wire)
            own.add(outbox)
            return apply(change, to: own)
        }
        if cohort.isSettled {
            // Whoever has noted something goes on to do so, even when all others have left meanwhile.
            if cohort.members.count > 1 || !unsettled[place].changes.isEmpty {
                return unsettled[place].changes.append(change)
            }
            unregister(cohort)
        }
        apply(change, to: cohort)
    }

    private func note(_ outbox: Outbox) -> Int {
        if let place = outbox.unsettledPlace { return place }
        outbox.unsettledPlace = unsettled.count
        unsettled.append(Unsettled(outbox: outbox))
        return unsettled.count - 1
    }

    private func apply(_ change: Change, to cohort: Cohort) {
        steps += 1
        guard !change.isGain else { return cohort.insert(change.stream) }
        let wasIndexed = cohort.isIndexed
        cohort.remove(change.stream)
        if cohort.isIndexed, !wasIndexed { indexed.append(cohort) }
    }

    // MARK: Settling

    /// A cohort that its one member has changed in place.
    private func settle(_ cohort: Cohort, of outbox: Outbox) {
        if cohort.seats.isEmpty {
            cohort.remove(outbox)
        } else if let others = cohorts[key(cohort)] {
            cohort.remove(outbox)
            dissolve(cohort)
            others.add(outbox)
        } else {
            register(cohort)
        }
    }

    /// Moves a client from a cohort that it shares to the one with its new set.
    private func settle(_ changes: ContiguousArray<Change>, of outbox: Outbox, in shared: Cohort) {
        var key = key(shared)
        for change in changes {
            if change.isGain { key.fingerprint += change.stream.mark } else { key.fingerprint -= change.stream.mark }
            key.count += change.isGain ? 1 : -1
        }
        steps += changes.count
        if key.count == 0 { return leave(shared, outbox) }
        if let others = cohorts[key] {
            // Also its own, when everything that was gained was lost again.
            guard others !== shared else { return }
            leave(shared, outbox)
            return others.add(outbox)
        }
        let own: Cohort
        if shared.members.count == 1 {
            unregister(shared)
            own = shared
        } else {
            own = Cohort(wire: outbox.wire)
            shared.remove(outbox)
            own.add(outbox)
            steps += shared.seats.count
            for seat in shared.seats { own.insert(seat.stream) }
        }
        for change in changes { apply(change, to: own) }
        register(own)
    }

    private func leave(_ cohort: Cohort, _ outbox: Outbox, isMoving: Bool = true) {
        cohort.remove(outbox, isMoving: isMoving)
        guard cohort.members.isEmpty else { return }
        if cohort.isSettled { unregister(cohort) }
        dissolve(cohort)
    }

    private func register(_ cohort: Cohort) {
        cohorts[key(cohort)] = cohort
        cohort.isSettled = true
    }

    private func unregister(_ cohort: Cohort) {
        cohorts[key(cohort)] = nil
        cohort.isSettled = false
    }

    private func dissolve(_ cohort: Cohort) {
        steps += cohort.seats.count
        cohort.dissolve()
    }

    private func key(_ cohort: Cohort) -> Key {
        Key(fingerprint: cohort.fingerprint, count: cohort.seats.count, wire: cohort.wire)
    }
}
