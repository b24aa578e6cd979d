import Adapters
import MarketData

/// The lives of connections.
extension Pool {
    /// A connection was made for the broker to be connected to.
    mutating func open(_ index: Int, kind: Int) {
        let declared = capabilities.links[kind]
        links[index] = PoolLink(index: index, kindIndex: kind, kind: declared, quota: limits.quota(of: declared))
    }

    /// - Returns: The generation of this connect.
    mutating func connecting(_ index: Int) -> UInt64 {
        links[index]?.generation += 1
        links[index]?.state = .connecting
        return generation(index)
    }

    /// The connection stands. Everything that is wanted is asked for again: the broker has forgotten it.
    mutating func becameReady(_ index: Int) {
        links[index]?.state = .ready
        for handle in (links[index]?.lines.keys.sorted() ?? []) { links[index]?.markDirty(handle) }
    }

    /// The broker serves nothing there any more; whoever waits for an answer gets that one.
    mutating func lost(_ index: Int, becoming state: PoolLink.State, _ answer: FeedError = .queued) {
        let handles = links[index]?.lines.keys.sorted() ?? []
        // What was to come here and is still served elsewhere stays there.
        for handle in handles where placement[handle] == index { _ = moveBack(handle, from: index) }
        links[index]?.dirty.removeAll()
        links[index]?.leaving.removeAll()
        queue(.forgetAll(link: index))
        for handle in handles {
            guard var line = line(handle, on: index) else { continue }
            // What is on its way to another connection is not asked for here again.
            if line.isDeparting {
                departures[handle] = nil
                links[index]?.lines[handle] = nil
                continue
            }
            line.forgetBroker()
            links[index]?.lines[handle] = line
            queue(.answer(handle, .failure(answer)))
        }
        links[index]?.state = state
    }

    /// The connection has ended; there was nothing on it.
    mutating func close(_ index: Int) { links[index] = nil }

    /// The session is over.
    mutating func end(_ answer: FeedError) {
        for handle in placement.keys.sorted() { queue(.answer(handle, .failure(answer))) }
        links.removeAll()
        placement.removeAll()
        departures.removeAll()
    }
}
