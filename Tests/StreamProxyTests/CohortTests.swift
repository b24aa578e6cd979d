import MarketData
import NIOCore
import TestSupport
import Testing

@testable import StreamProxy

/// Clients with the same streams are served together, and never with anything that one of them does not have.
@Suite struct CohortTests {
    private final class Room {
        let bench: Bench
        var outboxes: [Outbox] = []
        var subscriptions: [Int: [String: Subscription]] = [:]

        init() throws { bench = try Bench() }

        var table: RouteTable { bench.shard.routes }

        func client() -> Int {
            let wire = Cohort.Wire(deflates: false, coalesces: true)
            outboxes.append(
                Outbox(
                    socket: ClientSocket(), loop: bench.loop, wire: wire, shard: (bench.counters, table.postponed)))
            return outboxes.count - 1
        }

        func join(_ client: Int, _ symbol: String) {
            let route = RouteKey(
                session: 1, instrument: UInt32(symbol.utf8.reduce(0) { $0 * 31 + UInt32($1) }), mode: .ltp)
            subscriptions[client, default: [:]][symbol] = table.join(
                StreamKey(route: route, symbol: symbol), exchange: "NSE", broker: "b", outbox: outboxes[client])
        }

        func leave(_ client: Int, _ symbol: String) {
            if let subscription = subscriptions[client]?.removeValue(forKey: symbol) { table.leave(subscription) }
        }

        /// The streams of a client's cohort, and whether both sides of the lists agree.
        func symbols(_ client: Int) -> Set<String> {
            guard let cohort = outboxes[client].cohort else { return [] }
            #expect(cohort.members[outboxes[client].place] === outboxes[client])
            for (seat, each) in cohort.seats.enumerated() {
                let listener = each.stream.followers[each.place]
                #expect(listener.cohort === cohort && listener.seat == seat)
            }
            var symbols = Set(cohort.seats.map(\.stream.key.symbol))
            // What is noted counts from the next message on.
            for change in table.cohorts.noted(of: outboxes[client]) {
                let symbol = change.stream.key.symbol
                let isNews = change.isGain ? symbols.insert(symbol).inserted : symbols.remove(symbol) != nil
                #expect(isNews, "\(symbol)")
            }
            return symbols
        }
    }

    @Test func sameStreamsAreOneCohortInAnyOrder() throws {
        let room = try Room()
        let clients = (0..<3).map { _ in room.client() }
        for (client, order) in zip(clients, [["A", "B", "C"], ["C", "A", "B"], ["B", "C", "A"]]) {
            for symbol in order { room.join(client, symbol) }
            room.table.settle()
        }
        #expect(room.outboxes[0].cohort === room.outboxes[1].cohort)
        #expect(room.outboxes[0].cohort === room.outboxes[2].cohort)
        #expect(room.outboxes[0].cohort?.members.count == 3)
    }

    @Test func whoLeavesAStreamLeavesTheOthersAlone() throws {
        let room = try Room()
        let (a, b) = (room.client(), room.client())
        for symbol in ["A", "B"] {
            room.join(a, symbol)
            room.join(b, symbol)
        }
        room.table.settle()
        room.leave(a, "A")
        room.table.settle()
        #expect(room.symbols(a) == ["B"] && room.symbols(b) == ["A", "B"])
        room.leave(b, "A")
        room.table.settle()
        #expect(room.outboxes[a].cohort === room.outboxes[b].cohort)
        #expect(room.table.count == 1)
    }

    @Test func aClientThatGoesIsOnNoList() throws {
        let room = try Room()
        let (a, b) = (room.client(), room.client())
        for symbol in ["A", "B"] {
            room.join(a, symbol)
            room.join(b, symbol)
        }
        room.table.settle()
        room.table.dismiss(room.outboxes[a])
        #expect(room.outboxes[a].cohort == nil && room.symbols(b) == ["A", "B"])
        for symbol in ["A", "B"] { room.leave(a, symbol) }
        room.table.dismiss(room.outboxes[b])
        for symbol in ["A", "B"] { room.leave(b, symbol) }
        #expect(room.table.count == 0)
    }

    @Test(arguments: [1, 2, 3, 20_261_123]) func anyHistoryGivesEveryClientItsSet(seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        let room = try Room()
        let names = (0..<12).map { "S\($0)" }
        var wanted: [Set<String>] = []
        for _ in 0..<8 {
            _ = room.client()
            wanted.append([])
        }
        for _ in 0..<4_000 {
            let client = Int(numbers.next() % 8)
            let name = names[Int(numbers.next() % 12)]
            switch numbers.next() % 100 {
            case 0:
                room.table.dismiss(room.outboxes[client])
                for symbol in wanted[client] { room.leave(client, symbol) }
                wanted[client] = []
                room.outboxes[client] = room.outboxes[room.client()]
                room.outboxes.removeLast()
            case 1...40 where !wanted[client].contains(name):
                room.join(client, name)
                wanted[client].insert(name)
            case 41...75 where wanted[client].contains(name):
                room.leave(client, name)
                wanted[client].remove(name)
            case 76...: room.table.settle()
            default: break
            }
            #expect(room.symbols(client) == wanted[client], "seed \(seed)")
        }
        room.table.settle()
        for client in 0..<8 {
            #expect(room.symbols(client) == wanted[client], "seed \(seed)")
            for other in 0..<client where !wanted[client].isEmpty {
                let together = room.outboxes[client].cohort === room.outboxes[other].cohort
                #expect(together == (wanted[client] == wanted[other]), "seed \(seed)")
            }
        }
        #expect(room.table.count == wanted.reduce(into: Set()) { $0.formUnion($1) }.count)
    }

    /// As OpenAlgo's client does it: one symbol a request, all clients in step.
    @Test(arguments: [(clients: 1_000, symbols: 100), (clients: 250, symbols: 400)])
    func oneSymbolAfterTheOtherInStep(clients: Int, symbols: Int) throws {
        let room = try Room()
        let all = (0..<clients).map { _ in room.client() }
        let names = (0..<symbols).map { "S\($0)" }
        for name in names {
            for client in all {
                room.join(client, name)
                room.table.settle()
            }
        }
        // A step each, and each of the sets made and taken down once.
        let (joined, sets) = (room.table.cohorts.steps, symbols * symbols)
        #expect(joined <= clients * symbols + 2 * sets, "\(joined) steps for \(clients * symbols) subscriptions")
        #expect(room.outboxes[0].cohort?.members.count == clients)
        for name in names {
            for client in all {
                room.leave(client, name)
                room.table.settle()
            }
        }
        let left = room.table.cohorts.steps - joined
        #expect(left <= clients * symbols + 2 * sets, "\(left) steps for \(clients * symbols)")
        #expect(room.table.count == 0 && room.outboxes.allSatisfy { $0.cohort == nil })
    }

    /// Each client with a set of its own, given up one by one.
    @Test func aLargeSetIsGivenUpStreamByStream() throws {
        let room = try Room()
        let clients = (0..<70).map { _ in room.client() }
        let names = (0..<300).map { "S\($0)" }
        for client in clients {
            room.join(client, "own\(client)")
            for name in names { room.join(client, name) }
            room.table.settle()
        }
        let before = room.table.cohorts.steps
        for (turn, name) in names.enumerated() {
            for client in clients { room.leave(client, name) }
            room.table.settle()
            if turn % 50 == 0 { room.table.trim() }
        }
        #expect(room.table.cohorts.steps - before == clients.count * names.count)
        for client in clients { #expect(room.symbols(client) == ["own\(client)"]) }
    }

    /// A message that comes between a change and its settling goes to those who have the stream now, and to nobody else.
    @Test func aMessageFindsEverybodyWhereTheyBelong() throws {
        let room = try Room()
        let (a, b, c) = (room.client(), room.client(), room.client())
        for client in [a, b, c] { for symbol in ["A", "B"] { room.join(client, symbol) } }
        room.table.settle()
        room.leave(a, "B")
        room.join(b, "C")
        #expect(room.outboxes[a].cohort === room.outboxes[c].cohort)
        let key = RouteKey(session: 1, instrument: UInt32(UInt8(ascii: "B")), mode: .ltp)
        "{}".utf8.withContiguousStorageIfAvailable { bytes in
            room.table.receive(key, snapshot: false, UnsafeRawBufferPointer(bytes))
        }
        #expect(room.outboxes[a].cohort?.batch == nil)
        #expect(room.outboxes[b].cohort?.batch != nil && room.outboxes[c].cohort?.batch != nil)
        #expect(room.outboxes[b].cohort !== room.outboxes[c].cohort)
        #expect(room.symbols(a) == ["A"] && room.symbols(b) == ["A", "B", "C"] && room.symbols(c) == ["A", "B"])
    }
}
