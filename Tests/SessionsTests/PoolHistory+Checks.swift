import MarketData
import TestSupport

@testable import Adapters
@testable import Sessions

/// What holds in every history, after each step and in the end.
extension PoolHistory {
    /// What is served and wanted is ended only where another connection is known to serve it.
    func checkGap(_ line: Line) throws {
        guard line.served != nil, pool.references.demand(line.handle) != nil, !interrupted.contains(line.handle) else {
            return
        }
        guard pool.line(line.handle)?.served == nil else { return }
        throw Problem("\(line.instrument) has a gap while it moves")
    }

    /// What was on its way to a connection that is lost stays where enough of it is served.
    func checkMoves(to link: Int) throws {
        for (handle, old) in pool.departures where pool.placement[handle] == link {
            guard let wanted = pool.line(handle)?.wanted else { continue }
            if pool.line(handle, on: old)?.served?.covers(wanted) == true {
                throw Problem("\(handle) waits for a lost connection")
            }
        }
    }

    func check() throws {
        if answered.contains(where: { $0.0 == RouteKey.none }) { throw Problem("somebody was answered twice") }
        guard waiters.count == waiting.count else { throw Problem("somebody who waits is lost") }
        for instrument in pool.references.instruments {
            guard let line = pool.line(instrument), let demand = pool.references.demand(instrument) else {
                throw Problem("\(instrument) is wanted and nowhere")
            }
            guard line.wanted.covers(demand), !line.isDeparting else {
                throw Problem("\(line.instrument) is wanted and not meant to be served")
            }
        }
        for instrument in pool.placement.keys where pool.references.demand(instrument) == nil {
            throw Problem("\(instrument) is unwanted and kept")
        }
        for (index, link) in pool.links { try check(link, at: brokers[index]) }
        let first = pool.links.values.filter { $0.kindIndex == pool.firstMarketKind }
        if !first.isEmpty, first.allSatisfy(\.isRetiring) { throw Problem("no connection is to stay") }
        for (instrument, link) in pool.departures {
            guard let line = pool.line(instrument, on: link), line.isDeparting, line.served != nil, !line.isDirty else {
                throw Problem("\(instrument) departs from where it is not served")
            }
            guard pool.line(instrument)?.served == nil else { throw Problem("\(instrument) is served twice") }
        }
    }

    private func check(_ link: PoolLink, at broker: ModelBroker?) throws {
        if !link.isConnected, !link.leaving.isEmpty { throw Problem("connection \(link.index) owes and is lost") }
        if link.isRetiring, !link.lines.values.allSatisfy(\.isDeparting) {
            throw Problem("connection \(link.index) is to end and has to serve")
        }
        var known = link.leaving.map(ModelBroker.name)
        var dirty = 0
        for line in link.lines.values {
            let place = line.isDeparting ? pool.departures[line.handle] : pool.placement[line.handle]
            guard place == link.index else { throw Problem("\(line.instrument) is where it is not placed") }
            if line.isDirty { dirty += 1 }
            guard line.mayBeKnown else { continue }
            let name = ModelBroker.name(line)
            known.append(name)
            guard let served = broker?.served[name] else { continue }
            // Deep books are what quotas count.
            if served.isDeep, !line.most.isDeep { throw Problem("\(line.instrument) is served deeper than is known") }
        }
        guard dirty == link.dirty.count else { throw Problem("connection \(link.index) has forgotten what to send") }
        for name in (broker?.served ?? [:]).keys where !known.contains(name) {
            throw Problem("connection \(link.index) serves \(name), which is not known")
        }
        guard link.units <= link.quota else { throw Problem("connection \(link.index) has \(link.units) units") }
    }

    /// Everything that is on its way arrives.
    mutating func settle() throws {
        isKind = true
        for _ in 0..<50 {
            while !paced.isEmpty { try takeTurn() }
            if isFlushDue { try flushAll() }
            try takeAnswers()
            while !requests.isEmpty {
                try hear(0)
                if !requests.isEmpty { expire(0) }
            }
            if !isFlushDue, paced.isEmpty, answered.isEmpty, requests.isEmpty { break }
        }
        try check()
        guard waiting.isEmpty, answered.isEmpty else { throw Problem("\(waiting.count) wait in the end") }
        for (index, link) in pool.links where link.isConnected {
            guard link.dirty.isEmpty, link.leaving.isEmpty else { throw Problem("connection \(index) owes something") }
            for name in (brokers[index]?.served ?? [:]).keys
            where !link.lines.values.contains(where: { ModelBroker.name($0) == name }) {
                throw Problem("connection \(index) serves \(name), which nobody wants")
            }
            for (token, handle) in brokers[index]?.tokens ?? [:]
            where link.lines[handle]?.listing?.brokerToken != token {
                throw Problem("connection \(index) takes \(token) for what it was")
            }
            for line in link.lines.values {
                // After a silence nobody knows.
                guard let served = line.served, !line.isUncertain else { continue }
                guard brokers[index]?.served[ModelBroker.name(line)]?.covers(served) == true else {
                    throw Problem("\(line.instrument) is taken for served and is not")
                }
                guard let token = line.listing?.brokerToken else { continue }
                guard brokers[index]?.tokens[token] == line.handle else {
                    throw Problem("the token of \(line.instrument) is not known")
                }
            }
        }
    }

    /// Brokers that serve what they are asked for are asked for everything, and then for nothing.
    mutating func finish() throws {
        try settle()
        for handle in PoolHistory.instruments where hasMaster && listings[handle] == nil {
            listings[handle] = newListing(handle)
        }
        for link in pool.links.keys.sorted() {
            try lose(link, becoming: .idle)
            _ = pool.connecting(link)
        }
        for link in pool.links.keys.sorted() {
            pool.becameReady(link)
            try flush(link)
            try settle()
        }
        guard pool.departures.isEmpty else { throw Problem("a move is not finished") }
        var counts: [UInt32: Int] = [:]
        for key in held { counts[key.instrument, default: 0] += 1 }
        guard Set(counts.keys) == Set(pool.references.instruments) else { throw Problem("held and counted differ") }
        for instrument in pool.references.instruments { try checkServed(instrument) }
        guard brokers.values.reduce(0, { $0 + $1.served.count }) == counts.count else {
            throw Problem("more is served than is wanted")
        }
        try release(held.count)
        try settle()
        guard pool.placement.isEmpty, brokers.values.allSatisfy(\.served.isEmpty) else {
            throw Problem("something is left when nobody wants anything")
        }
        try closeSurplus()
        guard pool.links.count <= 1 else { throw Problem("\(pool.links.count) connections are left") }
    }

    private func checkServed(_ instrument: UInt32) throws {
        guard let link = pool.placement[instrument], let line = pool.line(instrument),
            let demand = pool.references.demand(instrument)
        else { throw Problem("\(instrument) is nowhere in the end") }
        guard let served = brokers[link]?.served[ModelBroker.name(line)], served.covers(demand) else {
            throw Problem("\(line.instrument) is not served in the end")
        }
    }
}
