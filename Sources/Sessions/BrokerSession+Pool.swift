import Adapters
import MarketData

/// What the pool knows and asks for. It decides; what touches adapters, the bus and those who wait happens here.
extension BrokerSession {
    var references: References { pool.references }
    var placement: [UInt32: Int] { pool.placement }
    var departures: [UInt32: Int] { pool.departures }

    var marketLinks: [BrokerLink] { orderedLinks.filter(\.kind.carriesMarketData) }
    var orderedLinks: [BrokerLink] { links.values.sorted { $0.index < $1.index } }

    func state(of link: BrokerLink) -> PoolLink.State { pool.state(link.index) }
    func generation(of link: BrokerLink) -> UInt64 { pool.generation(link.index) }
    func isConnected(_ link: BrokerLink) -> Bool { pool.isConnected(link.index) }

    func hasFailed(_ link: BrokerLink) -> Bool { pool.links[link.index]?.hasFailed == true }

    func isConnecting(_ link: BrokerLink) -> Bool {
        if case .connecting = state(of: link) { true } else { false }
    }

    func isBackingOff(_ link: BrokerLink) -> Bool {
        if case .backingOff = state(of: link) { true } else { false }
    }

    /// Does what the pool has asked for. To be called after every change of it, before an adapter is called.
    func act() {
        for consequence in pool.takeConsequences() {
            switch consequence {
            case .answer(let handle, let answer): resume(handle, answer)
            case .refuse(let handle, let demand, let error): resume(handle, refused: demand, error)
            case .track(let handle, let index):
                environment.bus.track(session: id, instrument: handle, source: links[index]?.feed)
            case .untrack(let handle): environment.bus.untrack(session: id, instrument: handle)
            case .register(let handle, let listing, let index):
                links[index]?.instance?.register(listing, as: handle)
            case .forget(let handle, let listing, let index):
                links[index]?.instance?.forget(listing, of: handle)
            case .forgetAll(let index): links[index]?.instance?.forgetListings()
            case .flush: flushSoon()
            }
        }
    }

    /// The new connections have these instruments.
    func finishMoves(_ handles: [UInt32]) {
        let left = pool.finishMoves(handles)
        act()
        for index in left { if let link = links[index] { flush(link) } }
        if !left.isEmpty { closeRetired() }
    }
}
