import MarketData
import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing

@testable import StreamProxy

/// What comes while clients are served one after the other reaches each of them once and in order, as soon as it is its turn.
@Suite struct RoundTests {
    /// A shard with many clients, without sockets.
    private final class Room {
        let bench: Bench
        private(set) var clients: [Client] = []
        private var channels: [EmbeddedChannel] = []
        private var subscriptions: [Int: [String: Subscription]] = [:]

        init(clients count: Int) throws {
            bench = try Bench()
            for _ in 0..<count {
                let client = Client(shard: bench.shard, deflates: false)
                let channel = EmbeddedChannel(loop: bench.loop)
                try channel.pipeline.syncOperations.addHandler(client)
                channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
                clients.append(client)
                channels.append(channel)
            }
        }

        static func route(_ symbol: String) -> RouteKey {
            RouteKey(session: 1, instrument: UInt32(symbol.utf8.reduce(0) { $0 * 31 + UInt32($1) }), mode: .ltp)
        }

        func join(_ client: Int, _ symbol: String) {
            subscriptions[client, default: [:]][symbol] = bench.shard.routes.join(
                StreamKey(route: Self.route(symbol), symbol: symbol), exchange: "NSE", broker: "b",
                outbox: clients[client].outbox)
            bench.shard.routes.settle()
        }

        func leave(_ client: Int, _ symbol: String) {
            guard let subscription = subscriptions[client]?.removeValue(forKey: symbol) else { return }
            bench.shard.routes.leave(subscription)
            bench.shard.routes.settle()
        }

        /// Publishes between the 16th client and the 17th.
        func atFirstLook(_ messages: [BusDouble.Message]) {
            let asked = Mutex(0)
            bench.bus.whenAsked { [bus = bench.bus] in
                let time = asked.withLock { count in
                    count += 1
                    return count
                }
                // The first time is the round's own.
                if time == 2 { bus.publish(messages) }
            }
        }

        func queue(_ symbol: String, _ value: Int) {
            bench.bus.publish([.data(Self.route(symbol), snapshot: false, "\(value)")])
        }

        /// What has been written to a client since the last call, a list for each write, as `SYMBOL value`.
        func writes(to client: Int) throws -> [[String]] {
            var writes: [[String]] = []
            while let bytes = try channels[client].readOutbound(as: ByteBuffer.self) {
                var messages: [String] = []
                for frame in Inbox.frames(in: bytes) {
                    let message = try JSONParser.parse(ByteBuffer(bytes: frame.payload))
                    if case .string(let symbol)? = message["symbol"], case .number(let value)? = message["data"] {
                        messages.append("\(symbol) \(value)")
                    } else {
                        messages.append("")
                    }
                }
                writes.append(messages)
            }
            return writes
        }
    }

    @Test func laterClientsGetItAtOnceAndEarlierOnesInTheNextRound() throws {
        let room = try Room(clients: 40)
        for client in 0..<40 { room.join(client, "A") }
        room.atFirstLook([.data(Room.route("A"), snapshot: false, "2")])
        room.queue("A", 1)
        room.bench.shard.drainBus()
        for client in 0..<40 {
            #expect(try room.writes(to: client) == (client < 16 ? [["A 1"]] : [["A 1", "A 2"]]), "client \(client)")
        }
        room.bench.bus.whenAsked(nil)
        room.bench.shard.drainBus()
        for client in 0..<40 { #expect(try room.writes(to: client) == (client < 16 ? [["A 2"]] : [])) }
    }

    @Test func whoLeavesAStreamGetsFirstWhatCameBefore() throws {
        let room = try Room(clients: 40)
        for client in 0..<40 {
            room.join(client, "A")
            room.join(client, "B")
        }
        room.atFirstLook([.data(Room.route("A"), snapshot: false, "2")])
        room.queue("A", 1)
        room.bench.shard.drainBus()
        room.bench.bus.whenAsked(nil)
        room.leave(3, "A")
        room.leave(4, "B")
        #expect(try room.writes(to: 3) == [["A 1"], ["A 2"]] && room.writes(to: 4) == [["A 1"], ["A 2"]])
        room.queue("A", 3)
        room.queue("B", 4)
        room.bench.shard.drainBus()
        #expect(try room.writes(to: 3) == [["B 4"]] && room.writes(to: 4) == [["A 3"]])
        #expect(try room.writes(to: 5) == [["A 1"], ["A 2", "A 3", "B 4"]])
    }

    @Test func orderUpdatesWaitForTheEndOfTheRound() throws {
        let room = try Room(clients: 40)
        for client in 0..<40 { room.join(client, "A") }
        room.atFirstLook([.order(user: "u", #"{"orderid":"1"}"#), .data(Room.route("A"), snapshot: false, "2")])
        room.bench.shard.orders.add(room.clients[0], user: "u")
        room.queue("A", 1)
        room.bench.shard.drainBus()
        #expect(try room.writes(to: 0).count == 2, "a tick and an order update")
    }

    @Test(arguments: [1, 2, 20_261_129]) func anyHistoryBringsEverythingOnceAndInOrder(seed: UInt64) throws {
        let (names, count) = (["A", "B", "C", "D"], 40)
        let room = try Room(clients: count)
        var numbers = SeededNumbers(seed: seed)
        /// What each client is to have got of each symbol, in order.
        let expected = Mutex<[Int: [String]]>([:])
        let joined = Mutex<[Set<String>]>(Array(repeating: [], count: count))
        let values = Mutex(0)
        let publish: @Sendable (String) -> Void = { [bus = room.bench.bus] name in
            let value = values.withLock { value in
                value += 1
                return value
            }
            expected.withLock { expected in
                for (client, symbols) in joined.withLock({ $0 }).enumerated() where symbols.contains(name) {
                    expected[client, default: []].append("\(name) \(value)")
                }
            }
            bus.publish([.data(Room.route(name), snapshot: false, "\(value)")])
        }
        let inner = Mutex(SeededNumbers(seed: seed ^ 0xABCD))
        room.bench.bus.whenAsked {
            let draw = inner.withLock { $0.next() }
            if draw % 3 == 0 { publish(names[Int(draw >> 8) % names.count]) }
        }
        for _ in 0..<1_500 {
            let client = Int(numbers.next() % UInt64(count))
            let name = names[Int(numbers.next() % UInt64(names.count))]
            switch numbers.next() % 10 {
            case 0...2:
                // What waits in the bus would reach it or not, depending on whose turn it is: so nothing waits.
                room.bench.bus.whenIdle { room.bench.shard.drainBus() }
                let has = joined.withLock { $0[client].contains(name) }
                if has { room.leave(client, name) } else { room.join(client, name) }
                joined.withLock { joined in
                    if has { joined[client].remove(name) } else { joined[client].insert(name) }
                }
            case 3...6: publish(name)
            default: room.bench.shard.drainBus()
            }
        }
        room.bench.bus.whenIdle { room.bench.shard.drainBus() }
        room.bench.bus.whenAsked(nil)
        for _ in 0..<3 { room.bench.shard.drainBus() }
        for client in 0..<count {
            let got = try room.writes(to: client).flatMap { $0 }
            let isAll = got == expected.withLock { $0[client] ?? [] }
            #expect(isAll, "client \(client), seed \(seed)")
        }
    }
}
