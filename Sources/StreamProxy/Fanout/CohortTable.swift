/// Finds clients with the same streams. Confined to its loop.
///
/// A client whose set changes is a cohort of its own; at the end of the turn it joins those who have the same set now.
final class CohortTable {
    private struct Key: Hashable {
        let fingerprint: Fingerprint
        let count: Int
        let wire: Cohort.Wire
    }

    private var cohorts: [Key: Cohort] = [:]
    private var unsettled: ContiguousArray<Outbox> = []

    func insert(_ stream: Stream, for outbox: Outbox) { change(outbox).insert(stream) }

    func remove(_ stream: Stream, for outbox: Outbox) {
        // A client that was dismissed is on no list any more.
        guard let cohort = outbox.cohort else { return }
        // What has come before is sent before the client is told that it has left.
        cohort.catchUp(outbox)
        change(outbox).remove(stream)
    }

    func dismiss(_ outbox: Outbox) {
        guard let cohort = outbox.cohort else { return }
        cohort.remove(outbox, isMoving: false)
        if cohort.members.isEmpty { forget(cohort) }
    }

    /// Puts clients with changed sets together with those who have the same.
    func settle() {
        guard !unsettled.isEmpty else { return }
        for outbox in unsettled {
            outbox.isUnsettled = false
            guard let cohort = outbox.cohort, !cohort.isSettled else { continue }
            if cohort.seats.isEmpty {
                cohort.remove(outbox)
            } else if let others = cohorts[key(cohort)] {
                cohort.remove(outbox)
                cohort.dissolve()
                others.add(outbox)
            } else {
                cohorts[key(cohort)] = cohort
                cohort.settle()
            }
        }
        unsettled.removeAll(keepingCapacity: unsettled.count < 1_024)
    }

    /// The client's own cohort, to be changed.
    private func change(_ outbox: Outbox) -> Cohort {
        if !outbox.isUnsettled {
            outbox.isUnsettled = true
            unsettled.append(outbox)
        }
        guard let shared = outbox.cohort else { return own(outbox, like: nil) }
        guard shared.isSettled else { return shared }
        guard shared.members.count > 1 else {
            cohorts[key(shared)] = nil
            shared.isSettled = false
            return shared
        }
        shared.remove(outbox)
        return own(outbox, like: shared)
    }

    private func own(_ outbox: Outbox, like shared: Cohort?) -> Cohort {
        let cohort = Cohort(wire: outbox.wire)
        cohort.add(outbox)
        for seat in shared?.seats ?? [] { cohort.insert(seat.stream) }
        return cohort
    }

    private func forget(_ cohort: Cohort) {
        if cohort.isSettled { cohorts[key(cohort)] = nil }
        cohort.dissolve()
    }

    private func key(_ cohort: Cohort) -> Key {
        Key(fingerprint: cohort.fingerprint, count: cohort.seats.count, wire: cohort.wire)
    }
}
