import CFeedhostABI
import NIOCore

/// One timer of an adapter.
final class LaneTimer {
    let user: UInt64
    /// Nil for a timer that runs once.
    let interval: TimeAmount?
    var due: NIODeadline
    var scheduled: Scheduled<Void>?

    init(user: UInt64, interval: TimeAmount?, due: NIODeadline) {
        self.user = user
        self.interval = interval
        self.due = due
    }

    func cancel() { scheduled?.cancel() }
}

extension TransportLane {
    package func startTimer(user: UInt64, delay: UInt32, interval: UInt32) throws(TransportFailure) -> fh_id {
        guard timers.count < Quota.timers else {
            throw TransportFailure(FH_E_LIMIT, "\(timers.count) timers are running already")
        }
        let id = LaneIDs.next()
        let timer = LaneTimer(
            user: user, interval: interval == 0 ? nil : .microseconds(Int64(interval)),
            due: loop.now + .microseconds(Int64(delay)))
        timers[id] = timer
        schedule(id, timer)
        return id
    }

    /// Forgets a request or a timer.
    package func cancel(_ id: fh_id) {
        timers.removeValue(forKey: id)?.cancel()
        requests.removeValue(forKey: id)?.cancel()
    }

    private func schedule(_ id: fh_id, _ timer: LaneTimer) {
        timer.scheduled = loop.assumeIsolated().scheduleTask(deadline: timer.due) { [weak self] in
            self?.deliver { [weak self] in self?.fire(id) }
        }
    }

    private func fire(_ id: fh_id) {
        guard let timer = timers[id] else { return }
        if let interval = timer.interval {
            // By the plan and not by this moment, so that the rate is right; what was missed is not made up for.
            let now = loop.now
            timer.due = timer.due + interval
            if timer.due < now { timer.due = now + interval }
            schedule(id, timer)
        } else {
            timers[id] = nil
        }
        guard let call = events.onTimer else { return }
        enter("on_timer") { call(instance, id, timer.user, options.clock.now()) }
    }
}
