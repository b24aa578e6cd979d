import Adapters
import MarketData

/// Instruments that change connections. The new one is asked before the old one is told to stop, and ticks count from
/// one of them at a time: from the old one until the new one's first.
extension Pool {
    /// Puts an instrument on a connection. On the old one it stays until the new one has it; those who wait for an answer
    /// wait for the new one's.
    mutating func move(_ handle: UInt32, _ instrument: Instrument, _ demand: References.Demand, to link: Int) {
        if let old = placement[handle] { depart(handle, from: old) }
        placement[handle] = link
        queue(.track(handle, link: link))
        if line(handle, on: link) == nil {
            links[link]?.lines[handle] = Line(handle: handle, instrument: instrument, wanted: demand)
            links[link]?.markDirty(handle)
        } else {
            stay(handle, demand, on: link)
        }
        guard isConnected(link) else {
            queue(.answer(handle, .failure(.queued)))
            return
        }
        if let line = line(handle, on: link), !line.isDirty, let served = line.served {
            queue(.answer(handle, .success(served)))
        }
    }

    /// The connection is not to end after all.
    mutating func keep(_ link: Int) { links[link]?.isRetiring = false }

    /// The line that was about to leave the connection does not.
    private mutating func stay(_ handle: UInt32, _ demand: References.Demand, on link: Int) {
        departures[handle] = nil
        links[link]?.lines[handle]?.isDeparting = false
        keep(link)
        guard let line = line(handle, on: link), line.wanted != demand || line.served?.covers(demand) != true else {
            return
        }
        links[link]?.lines[handle]?.wanted = demand
        links[link]?.markDirty(handle)
    }

    private mutating func depart(_ handle: UInt32, from old: Int) {
        guard departures[handle] == nil, isConnected(old), let line = line(handle, on: old), line.served != nil else {
            // Nothing is lost by ending it at once, or it has come here only now and another one still serves.
            cut(handle, from: old)
            return
        }
        departures[handle] = old
        links[old]?.lines[handle]?.isDeparting = true
        guard line.isDirty else { return }
        links[old]?.lines[handle]?.isDirty = false
        links[old]?.dirty.removeAll { $0 == handle }
    }

    /// The new connections have these instruments: the old ones let go of them.
    /// - Returns: The old ones; they are to be flushed.
    mutating func finishMoves(_ handles: [UInt32]) -> [Int] {
        var left: Set<Int> = []
        for handle in handles {
            guard let old = departures.removeValue(forKey: handle), links[old] != nil else { continue }
            cut(handle, from: old)
            left.insert(old)
        }
        return left.sorted()
    }

    /// The new connection does not get it. Who is served by the old one stays there, if that is enough.
    /// - Returns: False when it is not.
    mutating func moveBack(_ handle: UInt32, from link: Int) -> Bool {
        guard let old = departures[handle], let kept = line(handle, on: old), let line = line(handle, on: link),
            kept.served?.covers(line.wanted) == true
        else { return false }
        move(handle, line.instrument, line.wanted, to: old)
        queue(.flush)
        return true
    }

    /// Nobody wants the instrument any more, wherever it is.
    mutating func drop(_ handle: UInt32) {
        if let link = departures.removeValue(forKey: handle) { cut(handle, from: link) }
        if let link = placement.removeValue(forKey: handle) { cut(handle, from: link) }
        queue(.answer(handle, .failure(.unsubscribed)))
    }

    /// Takes the line off a connection and has the broker told, if it knows of it.
    private mutating func cut(_ handle: UInt32, from link: Int) {
        guard let line = links[link]?.lines.removeValue(forKey: handle) else { return }
        if line.isDirty { links[link]?.dirty.removeAll { $0 == handle } }
        if isConnected(link), line.mayBeKnown { links[link]?.leaving.append(line) }
        if let listing = line.listing { queue(.forget(handle, listing, link: link)) }
    }
}
