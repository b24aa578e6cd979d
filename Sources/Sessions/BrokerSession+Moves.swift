import Adapters
import MarketData

/// Instruments that change connections. The new one is asked before the old one is told to stop, and ticks count from
/// one of them at a time: from the old one until the new one's first.
extension BrokerSession {
    /// Puts an instrument on a link. On the old one it stays until the new one has it.
    func move(_ handle: UInt32, _ instrument: Instrument, _ demand: References.Demand, to link: Link) {
        // Those who wait for an answer wait for that one's from now on.
        if let old = placement[handle].flatMap({ links[$0] }) { depart(handle, from: old) }
        placement[handle] = link.index
        environment.bus.track(session: id, instrument: handle, source: link.context.feed)
        if link.lines[handle] == nil {
            link.lines[handle] = Line(handle: handle, instrument: instrument, wanted: demand)
            link.markDirty(handle)
        } else {
            stay(handle, demand, on: link)
        }
        guard link.isConnected else {
            resume(handle, .failure(.queued))
            return
        }
        if let line = link.lines[handle], !line.isDirty, let served = line.served {
            resume(handle, .success(served))
        }
    }

    /// The line that was about to leave the link does not.
    private func stay(_ handle: UInt32, _ demand: References.Demand, on link: Link) {
        departures[handle] = nil
        link.lines[handle]?.isDeparting = false
        link.isRetiring = false
        guard let line = link.lines[handle], line.wanted != demand || line.served?.covers(demand) != true else {
            return
        }
        link.lines[handle]?.wanted = demand
        link.markDirty(handle)
    }

    private func depart(_ handle: UInt32, from old: Link) {
        guard departures[handle] == nil, old.isConnected, old.lines[handle]?.served != nil else {
            // Nothing is lost by ending it at once, or it has come here only now and another one still serves.
            cut(handle, from: old)
            return
        }
        departures[handle] = old.index
        old.lines[handle]?.isDeparting = true
        if old.lines[handle]?.isDirty == true {
            old.lines[handle]?.isDirty = false
            old.dirty.removeAll { $0 == handle }
        }
    }

    /// The new links have these instruments: the old ones let go of them.
    func finishMoves(_ handles: [UInt32]) {
        var left: Set<Int> = []
        for handle in handles {
            guard let index = departures.removeValue(forKey: handle), let old = links[index] else { continue }
            cut(handle, from: old)
            left.insert(index)
        }
        for index in left { if let link = links[index] { flush(link) } }
        if !left.isEmpty { closeRetired() }
    }

    /// The new link's broker has refused. Who is served by the old one stays there, if that is enough.
    /// - Returns: False when the refusal is the answer.
    func moveBack(_ handle: UInt32, from link: Link) -> Bool {
        guard let index = departures[handle], let old = links[index], let kept = old.lines[handle],
            let line = link.lines[handle], kept.served?.covers(line.wanted) == true
        else { return false }
        move(handle, line.instrument, line.wanted, to: old)
        flushSoon()
        return true
    }

    /// Nobody wants the instrument any more, wherever it is.
    func drop(_ handle: UInt32) {
        if let index = departures.removeValue(forKey: handle), let link = links[index] { cut(handle, from: link) }
        if let index = placement.removeValue(forKey: handle), let link = links[index] { cut(handle, from: link) }
        resume(handle, .failure(.unsubscribed))
    }

    /// Takes the line off a link and has the broker told, if it knows of it.
    func cut(_ handle: UInt32, from link: Link) {
        guard let line = link.lines.removeValue(forKey: handle) else { return }
        if line.isDirty { link.dirty.removeAll { $0 == handle } }
        let wasSent = line.isAsked || line.served != nil || line.isUncertain
        if link.isConnected, wasSent { link.leaving.append(line) }
        forgetToken(of: line, on: link)
    }
}
