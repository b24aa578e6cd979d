import MarketData
import TestSupport

@testable import Adapters
@testable import Sessions

/// A pool, clients that want things of it, and brokers that grant, refuse, stay silent, and break: one history of them.
///
/// It does what the pool answers as the session does, without adapters, clocks and threads.
struct PoolHistory {
    struct Problem: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    static let instruments: ClosedRange<UInt32> = 1...6

    var random: SeededNumbers
    let hasMaster: Bool
    var pool: Pool
    /// By the number of the connection.
    var brokers: [Int: ModelBroker] = [:]
    var nextLink = 0
    var nextRequest: UInt64 = 0
    /// Connections that wait for their turn to send.
    var paced: Set<Int> = []
    /// True when the pool has asked for a flush that has not come yet.
    var isFlushDue = false
    /// Requests whose answers are out.
    var requests: [ModelRequest] = []
    /// What the master calls the instruments.
    var listings: [UInt32: Listing] = [:]
    var nextToken = 0
    /// True when brokers and networks do nothing bad any more.
    var isKind = false

    /// What clients have been granted, or wait for, and have not given back.
    var held: [RouteKey] = []
    var waiters = Waiters<Int>()
    /// By token, what somebody waits for.
    var waiting: [Int: RouteKey] = [:]
    var nextWaiter = 0
    /// Answers that clients have not taken note of yet.
    var answered: [(RouteKey, Line.Answer)] = []
    /// Instruments that nobody wanted for a moment, and that have not been granted since: for them a gap is none.
    var interrupted: Set<UInt32> = []

    init(_ shape: Shape, seed: UInt64) {
        random = SeededNumbers(seed: seed)
        hasMaster = shape.hasMaster
        pool = Pool(broker: "model", capabilities: shape.capabilities, limits: shape.limits)
        for instrument in PoolHistory.instruments where hasMaster { listings[instrument] = newListing(instrument) }
    }

    mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &random) }

    mutating func isLucky(_ sides: Int) -> Bool { isKind || roll(sides) > 0 }

    mutating func newListing(_ instrument: UInt32) -> Listing {
        nextToken += 1
        return Listing(
            instrument: PoolHistory.instrument(instrument), brokerSymbol: "", brokerExchange: "N",
            brokerToken: "\(nextToken)")
    }

    static func instrument(_ handle: UInt32) -> Instrument { Instrument(exchange: "NSE", symbol: "S\(handle)") }

    // MARK: Doing what the pool answers

    mutating func act() {
        for consequence in pool.takeConsequences() {
            switch consequence {
            case .answer(let handle, let answer): for token in waiters.take(handle) { resume(token, answer) }
            case .refuse(let handle, let demand, let error):
                for token in waiters.take(handle, refused: demand) { resume(token, .failure(error)) }
            case .untrack(let handle): interrupted.insert(handle)
            case .register(let handle, let listing, let link): brokers[link]?.tokens[listing.brokerToken] = handle
            case .forget(let handle, let listing, let link):
                if brokers[link]?.tokens[listing.brokerToken] == handle {
                    brokers[link]?.tokens[listing.brokerToken] = nil
                }
            case .forgetAll(let link): brokers[link]?.tokens = [:]
            case .flush: isFlushDue = true
            case .track: break
            }
        }
    }

    private mutating func resume(_ token: Int, _ answer: Line.Answer) {
        // Whoever is answered twice is not among them the second time.
        guard let key = waiting.removeValue(forKey: token) else { return answered.append((RouteKey.none, answer)) }
        answered.append((key, answer))
    }

    mutating func flushAll() throws {
        isFlushDue = false
        for link in pool.links.keys.sorted() { try flush(link) }
        try closeRetired()
    }

    mutating func flush(_ link: Int) throws {
        for lines in pool.takeLeaving(from: link) {
            for line in lines { try checkGap(line) }
            try brokers[link]?.end(lines)
        }
        while !paced.contains(link) {
            let handles = pool.nextBatch(on: link)
            guard !handles.isEmpty else { return }
            try send(handles, on: link)
            if pool.links[link]?.kind.perSecond != 0 { paced.insert(link) }
        }
    }

    private mutating func send(_ handles: [UInt32], on link: Int) throws {
        nextRequest += 1
        var request = ModelRequest(id: nextRequest, link: link, generation: pool.generation(link))
        let sending = pool.send(handles, named: hasMaster ? listings : nil, on: link, request: request.id)
        act()
        for handle in sending.unlisted { refuse(handle, on: link, .unlisted) }
        try brokers[link]?.end(sending.recycled)
        for line in sending.lines {
            let fate = isKind ? ModelRequest.Fate.granted : ModelRequest.Fate.allCases[min(roll(12), 5)]
            request.fates[line.handle] = brokers[link]?.ask(line, fate)
        }
        if let problem = brokers[link]?.excess { throw Problem("connection \(link) has \(problem)") }
        // Now and then the adapter says at once that it cannot.
        if !isLucky(30) {
            for handle in request.fates.keys.sorted() where request.fates[handle]?.isRefused == true {
                refuse(handle, on: link, .other)
            }
        }
        requests.append(request)
    }

    mutating func refuse(_ handle: UInt32, on link: Int, _ why: Pool.Refusal) {
        guard pool.line(handle, on: link) != nil else { return }
        _ = pool.refuse(handle, on: link, why, FeedError(.subscription, "refused"))
        act()
    }

    mutating func closeRetired() throws {
        for link in pool.emptied {
            try flush(link)
            if pool.isConnected(link), brokers[link]?.served.isEmpty == false {
                throw Problem("connection \(link) ends with instruments")
            }
            pool.close(link)
            brokers[link] = nil
        }
    }

    mutating func open(_ kind: Int) throws(FeedError) -> Int {
        guard isLucky(12) else { throw FeedError(.brokerInit, "no instance") }
        nextLink += 1
        pool.open(nextLink, kind: kind)
        brokers[nextLink] = ModelBroker(kind: pool.capabilities.links[kind])
        _ = pool.connecting(nextLink)
        return nextLink
    }

    func connections(_ isMeant: (PoolLink.State) -> Bool) -> [Int] {
        pool.links.keys.filter { isMeant(pool.state($0)) }.sorted()
    }
}

extension RouteKey {
    static let none = RouteKey(session: 0, instrument: 0, mode: .ltp)
}
