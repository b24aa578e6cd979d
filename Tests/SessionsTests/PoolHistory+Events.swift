import MarketData
import TestSupport

@testable import Adapters
@testable import Sessions

/// What happens in a history.
extension PoolHistory {
    mutating func step() throws {
        switch roll(20) {
        case 0..<5: try subscribe()
        case 5..<8: try release(roll(4) == 0 ? held.count : 1 + roll(2))
        case 8..<12: try hear()
        case 12: expire()
        case 13: try connectionEnds()
        case 14, 15: try connectionChanges()
        case 16: try closeSurplus()
        case 17: try takeTurn()
        case 18: try listingChanges()
        default:
            losePatience()
            try takeAnswers()
        }
        if isFlushDue, roll(2) == 0 { try flushAll() }
        try check()
    }

    private mutating func subscribe() throws {
        var noted: [RouteKey] = []
        for _ in 0...roll(3) {
            let handle = UInt32.random(in: PoolHistory.instruments, using: &random)
            let mode = random.pick(Mode.allCases)
            let key = RouteKey(session: 1, instrument: handle, mode: mode, depth: random.pick([5, 20]))
            pool.add(key)
            do throws(FeedError) {
                let missing = try pool.place(handle, PoolHistory.instrument(handle), isNew: true)
                if let missing { pool.move(handle, PoolHistory.instrument(handle), to: try open(missing)) }
                noted.append(key)
            } catch {
                pool.remove(key)
            }
            act()
        }
        try flushAll()
        for key in noted {
            let demand = References.Demand(mode: key.mode, depth: Int(key.depth))
            if let answer = pool.answer(demand, of: key.instrument) {
                answered.append((key, answer))
            } else {
                nextWaiter += 1
                waiting[nextWaiter] = key
                waiters.add(nextWaiter, for: key.instrument, wanting: demand)
            }
        }
        if roll(2) == 0 { try takeAnswers() }
    }

    /// Clients take note of what they were answered, and act on it.
    mutating func takeAnswers() throws {
        while !answered.isEmpty {
            let (key, answer) = answered.removeFirst()
            switch answer {
            case .failure(.queued): held.append(key)
            case .failure: try giveBack([key])
            case .success(let served) where served.mode < key.mode: try giveBack([key])
            case .success(let served) where key.mode == .depth && served.depth < Int(key.depth):
                let actual = RouteKey(
                    session: 1, instrument: key.instrument, mode: .depth, depth: UInt16(served.depth))
                pool.replace(key, with: actual)
                held.append(actual)
            case .success: held.append(key)
            }
        }
    }

    mutating func release(_ count: Int) throws {
        let gone = (0..<min(count, held.count)).map { _ in held.remove(at: roll(held.count)) }
        try giveBack(gone)
    }

    private mutating func giveBack(_ keys: [RouteKey]) throws {
        for key in keys where !pool.remove(key) { throw Problem("\(key) was held and is not counted") }
        for handle in Set(keys.map(\.instrument)).sorted() {
            if let missing = pool.adjust(handle), let instrument = pool.line(handle)?.instrument {
                do throws(FeedError) {
                    pool.move(handle, instrument, to: try open(missing))
                } catch {
                    pool.stay(handle)
                }
            }
            pool.answerRefused(handle)
            act()
        }
        try flushAll()
    }

    /// One of the answers that are out arrives.
    private mutating func hear() throws {
        guard !requests.isEmpty else { return }
        try hear(roll(requests.count))
    }

    mutating func hear(_ position: Int) throws {
        var request = requests[position]
        let link = request.link
        var moved: [UInt32] = []
        for (handle, answer) in request.fates.sorted(by: { $0.key < $1.key }) {
            // Answers may come in pieces.
            if !isLucky(5) { continue }
            if case .nothing = answer { continue }
            request.fates[handle] = nil
            guard pool.isAwaited(handle, request: request.id, on: link) else { continue }
            switch answer {
            case .granted(let demand):
                interrupted.remove(handle)
                if pool.grant(handle, on: link, mode: demand.mode, depth: demand.depth).isMoved {
                    moved.append(handle)
                }
            case .refused: refuse(handle, on: link, .other)
            case .nothing: break
            }
        }
        requests[position] = request
        if request.fates.isEmpty { requests.remove(at: position) }
        act()
        for link in pool.finishMoves(moved) {
            act()
            try flush(link)
        }
        try closeRetired()
    }

    private mutating func expire() {
        guard !requests.isEmpty else { return }
        expire(roll(requests.count))
    }

    mutating func expire(_ position: Int) {
        // What comes later all the same finds nobody.
        let request = isKind || roll(2) == 0 ? requests.remove(at: position) : requests[position]
        let (link, generation) = (request.link, request.generation)
        for handle in pool.unanswered(request: request.id, on: link, generation: generation) {
            refuse(handle, on: link, .timedOut)
        }
    }

    /// A connection is lost, or given up.
    private mutating func connectionEnds() throws {
        let links = connections { if case .ready = $0 { true } else { false } }
        guard !links.isEmpty else { return }
        try lose(random.pick(links), becoming: roll(4) == 0 ? .failed(FeedError(.broker, "over")) : .backingOff)
        try closeRetired()
    }

    mutating func lose(_ link: Int, becoming state: PoolLink.State) throws {
        brokers[link]?.disconnect()
        paced.remove(link)
        if case .failed(let error) = state {
            pool.lost(link, becoming: state, error)
        } else {
            pool.lost(link, becoming: state)
        }
        act()
        try checkMoves(to: link)
    }

    /// A connection that is not ready makes a step towards it, or fails in it.
    private mutating func connectionChanges() throws {
        let links = connections { if case .ready = $0 { false } else { true } }
        guard !links.isEmpty else { return }
        let link = random.pick(links)
        guard case .connecting = pool.state(link) else {
            _ = pool.connecting(link)
            return
        }
        if roll(6) == 0 {
            try lose(link, becoming: .backingOff)
            try closeRetired()
        } else {
            pool.becameReady(link)
            try flush(link)
        }
    }

    mutating func closeSurplus() throws {
        for kind in pool.capabilities.links.indices {
            var count = pool.surplus(kind, areOrdersWanted: false)
            while count > 0, pool.retireOne(kind, orders: nil) { count -= 1 }
        }
        act()
        try flushAll()
    }

    /// A connection may send again.
    mutating func takeTurn() throws {
        guard let link = paced.min() else { return }
        paced.remove(link)
        try flush(link)
        try closeRetired()
    }

    private mutating func listingChanges() throws {
        guard hasMaster else { return try hear() }
        let handle = UInt32.random(in: PoolHistory.instruments, using: &random)
        listings[handle] = roll(3) == 0 ? nil : newListing(handle)
    }

    /// Somebody has waited long enough.
    private mutating func losePatience() {
        let handle = UInt32.random(in: PoolHistory.instruments, using: &random)
        for token in waiters.take(handle, where: { $0.isMultiple(of: 2) }) {
            guard let key = waiting.removeValue(forKey: token) else { continue }
            answered.append((key, .failure(.queued)))
        }
    }
}
