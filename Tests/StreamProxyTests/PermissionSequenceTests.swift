import MarketData
import NIOCore
import TestSupport
import Testing

@testable import StreamProxy

/// Users with keys of every kind, doing everything in any order, at brokers that have data for everything.
@Suite(.timeLimit(.minutes(5))) struct PermissionSequenceTests {
    private static let sequences = 10_000
    private static let requests = 4

    @Test func nothingForbiddenIsSeenInTenThousandSequences() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed of the permission sequences: \(seed)")
        var random = SeededNumbers(seed: seed)
        try await House.with({ $0.maxQueuedControl = 64 << 20 }) { house in
            let routes = try await prepare(house)
            let sessions = try ["zerodha", "angel"].map { try #require(house.directory.session(of: "alice", at: $0)) }
            var client = try await house.connect()
            // Whoever shows another key that permits the same keeps what they have.
            var last: Expected?
            for number in 0..<Self.sequences {
                if number % 200 == 199 {
                    await client.close()
                    client = try await house.connect()
                    last = nil
                }
                let key = RandomKey(using: &random)
                let account = Account(
                    user: "alice", broker: "zerodha", keyID: Int64(number + 10), brokers: ["zerodha", "angel"],
                    permissions: key.permissions)
                house.directory.add("key-\(number)", account)
                let requests = (0..<Self.requests).map { _ in RandomRequest(using: &random) }
                try await client.send(#"{"action":"authenticate","api_key":"key-\#(number)"}"#)
                for request in requests { try await client.send(request.text) }
                for _ in 0..<3 { publish(house, routes, &random) }
                var expected = last?.key.permissions == key.permissions ? last ?? Expected(key) : Expected(key)
                defer { last = expected }
                var faults = try await client.answers(to: requests, &expected)
                for _ in 0..<2 { publish(house, routes, &random) }
                faults += try await client.twins(of: key, &expected, using: &random)
                for (session, broker) in zip(sessions, ["zerodha", "angel"]) {
                    for wish in session.takeAsked() where RandomKey.symbols.contains(wish.instrument.symbol) {
                        guard key.allows(wish.instrument.symbol, wish.instrument.exchange), key.allows(broker: broker)
                        else {
                            faults.append("the session was asked for \(wish.instrument)")
                            continue
                        }
                    }
                }
                try #require(
                    faults.isEmpty, "seed \(seed), sequence \(number), \(key.permissions): \(requests.map(\.text))")
            }
        }
    }

    /// A client that may see everything and has it, so that every stream exists, has a last value and is on the bus.
    private func prepare(_ house: House) async throws -> [(key: RouteKey, payload: String)] {
        house.directory.add(
            "everything", Account(user: "alice", broker: "zerodha", keyID: 8, brokers: ["zerodha", "angel"]))
        let witness = try await house.client(key: "everything")
        var routes: [(RouteKey, String)] = []
        for broker in ["zerodha", "angel"] {
            let session = house.directory.session(user: "alice", broker: broker)
            session.hint("; did you mean RELIANCE, RELINFRA, BSE:TCS or SBIN?")
            for mode in Mode.allCases {
                for exchange in RandomKey.exchanges {
                    for symbol in RandomKey.symbols {
                        for levels in [0, 20] {
                            let instrument = Instrument(exchange: exchange, symbol: symbol)
                            let wish = Wish(
                                instrument: instrument, mode: mode, depth: levels == 0 ? 5 : levels,
                                suffixed: levels > 0)
                            let payload = #"{"of":"\#(broker)/\#(exchange)/\#(symbol)/\#(mode.rawValue)"}"#
                            routes.append((try #require(session.route(wish)), payload))
                            let written = levels == 0 ? symbol : "\(symbol):20"
                            _ = try await witness.reply(
                                to: """
                                    {"action":"subscribe","symbol":"\(written)","exchange":"\(exchange)",\
                                    "mode":\(mode.rawValue),"broker":"\(broker)"}
                                    """)
                        }
                    }
                }
            }
        }
        for (route, payload) in routes { house.bus.publish(route, payload) }
        for _ in routes { _ = try await witness.next() }
        for broker in ["zerodha", "angel"] { _ = house.directory.session(of: "alice", at: broker)?.takeAsked() }
        // It goes on reading, or it would be cut off.
        Task { while (try? await witness.next()) != nil {} }
        return routes
    }

    private func publish(
        _ house: House, _ routes: [(key: RouteKey, payload: String)], _ random: inout SeededNumbers
    ) {
        guard let route = routes.randomElement(using: &random) else { return }
        house.bus.publish(route.key, route.payload)
        let broker = ["zerodha", "angel"].randomElement(using: &random) ?? ""
        let symbol = RandomKey.symbols.randomElement(using: &random) ?? ""
        let exchange = RandomKey.exchanges.randomElement(using: &random) ?? ""
        house.bus.publishOrder(
            user: "alice",
            #"{"type":"order_update","broker":"\#(broker)","symbol":"\#(symbol)","exchange":"\#(exchange)"}"#)
    }
}

extension WireClient {
    /// Reads the answers to an authentication and to requests, and whatever comes between.
    /// - Returns: What is wrong with them.
    fileprivate func answers(to requests: [RandomRequest], _ expected: inout Expected) async throws -> [String] {
        var faults: [String] = []
        var waiting = requests[...]
        var isIn = false
        while !isIn || !waiting.isEmpty {
            let message = try await json()
            // What comes before is the key's before.
            if !isIn {
                isIn = message["type"] == "auth"
                if message["status"] == "error" { return ["no entry"] }
            } else if let fault = fault(of: message, expected) {
                faults += fault
            } else if let request = waiting.popFirst(), let fault = expected.take(message, to: request) {
                faults.append("\(fault): \(request.text)")
            }
        }
        return faults
    }

    /// - Returns: Nil for the answer to a request.
    private func fault(of message: JSONValue, _ expected: Expected) -> [String]? {
        guard let type = message["type"]?.string, ["market_data", "order_update", "notice"].contains(type) else {
            return nil
        }
        return expected.fault(of: message).map { ["\($0): \(String(buffer: message.jsonBytes))"] } ?? []
    }

    /// Asks for a forbidden instrument that exists and for one that does not: the answers are the same, byte for byte.
    fileprivate func twins(
        of key: RandomKey, _ expected: inout Expected, using random: inout SeededNumbers
    ) async throws -> [String] {
        guard let (symbol, exchange) = key.forbidden.randomElement(using: &random) else { return [] }
        var faults: [String] = []
        let mode = Int.random(in: 1...3, using: &random)
        let asked = ["subscribe", "unsubscribe"].flatMap { action in [symbol, "QQQQ"].map { (action, $0) } }
        for (action, name) in asked {
            try await send(#"{"action":"\#(action)","symbol":"\#(name)","exchange":"\#(exchange)","mode":\#(mode)}"#)
        }
        var replies: [String] = []
        while replies.count < asked.count {
            let text = try await next().text
            if let fault = fault(of: try JSONParser.parse(ByteBuffer(string: text)), expected) {
                faults += fault
            } else {
                replies.append(text.replacing("\"\(asked[replies.count].1)\"", with: "\"\""))
            }
        }
        for pair in [0, 2] where replies[pair] != replies[pair + 1] {
            faults.append("\(replies[pair]) differs from \(replies[pair + 1])")
        }
        return faults
    }
}
