import Adapters
import MarketData

/// The pool of a broker session as one value: what is wanted, where it is placed, what moves, what the broker is owed, and
/// the connections with their room.
///
/// It calls nobody. The session tells it what has happened, does what it answers, and then what it has queued as
/// ``Consequence``; nothing else changes the state, and everything is walked in the order of numbers, so the same events
/// have the same outcome.
struct Pool {
    /// What else a change asks for, in this order.
    enum Consequence {
        /// Everybody who waits for the instrument gets that answer.
        case answer(UInt32, Line.Answer)
        /// That demand for the instrument was refused.
        case refuse(UInt32, References.Demand, FeedError)
        /// The instrument's ticks are taken from that connection from now on.
        case track(UInt32, link: Int)
        /// The instrument is wanted no longer.
        case untrack(UInt32)
        /// The broker's token means the instrument on that connection.
        case register(UInt32, Listing, link: Int)
        /// It does so no longer.
        case forget(UInt32, Listing, link: Int)
        /// No token means anything on that connection.
        case forgetAll(link: Int)
        /// There is something to be sent, which nobody was about to send.
        case flush
    }

    let broker: String
    let capabilities: Capabilities
    let limits: PoolLimits
    // Only the pool's own functions, in the files beside this one, set what follows.

    /// What clients want.
    var references = References()
    /// Which connection serves an instrument.
    var placement: [UInt32: Int] = [:]
    /// Which connection still serves an instrument while that one takes it over.
    var departures: [UInt32: Int] = [:]
    var links: [Int: PoolLink] = [:]
    private var consequences: [Consequence] = []

    init(broker: String, capabilities: Capabilities, limits: PoolLimits) {
        self.broker = broker
        self.capabilities = capabilities
        self.limits = limits
    }

    /// What is to be done; the caller does it all.
    mutating func takeConsequences() -> [Consequence] {
        guard !consequences.isEmpty else { return [] }
        defer { consequences = [] }
        return consequences
    }

    mutating func queue(_ consequence: Consequence) { consequences.append(consequence) }

    // MARK: What it knows

    func state(_ link: Int) -> PoolLink.State { links[link]?.state ?? .idle }
    func generation(_ link: Int) -> UInt64 { links[link]?.generation ?? 0 }
    func isConnected(_ link: Int) -> Bool { links[link]?.isConnected == true }
    func isRetiring(_ link: Int) -> Bool { links[link]?.isRetiring == true }
    func line(_ instrument: UInt32, on link: Int) -> Line? { links[link]?.lines[instrument] }
    /// Instruments on that connection, those included that leave it.
    func count(on link: Int) -> Int { links[link]?.lines.count ?? 0 }
    /// Instruments that it is to serve.
    func placed(on link: Int) -> Int { links[link]?.lines.values.count { !$0.isDeparting } ?? 0 }
    /// True when something waits there to be sent.
    func hasUnsent(on link: Int) -> Bool { links[link]?.dirty.isEmpty == false }
    /// Connections that meet the condition, those first that are asked first.
    func inOrderOfPreference(where isMeant: (PoolLink) -> Bool) -> [Int] {
        links.values.filter(isMeant).map { ($0.preference, $0.index) }.sorted { $0 < $1 }.map(\.1)
    }

    /// The line that the instrument's subscribers wait for.
    func line(_ instrument: UInt32) -> Line? { placement[instrument].flatMap { line(instrument, on: $0) } }
}
