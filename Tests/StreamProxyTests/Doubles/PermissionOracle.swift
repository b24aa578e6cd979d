import MarketData
import NIOCore

@testable import StreamProxy

/// A key made at random, with its own idea of what it permits: no patterns, only lists.
struct RandomKey {
    static let exchanges = ["NSE", "BSE"]
    static let symbols = ["RELIANCE", "RELINFRA", "TCS", "SBIN"]
    /// What patterns stand for among the symbols that there are; others begin with `BAD` or `X`.
    private static let patterns: [(pattern: String, symbols: Set<String>)] = [
        ("REL*", ["RELIANCE", "RELINFRA"]), ("TCS", ["TCS"]), ("?BIN", ["SBIN"]), ("BAD*", []),
        ("*N*", ["RELIANCE", "RELINFRA", "SBIN"]), ("RELIANC", []),
    ]

    let permissions: Permissions
    private let symbols: Set<String>

    init(using random: inout some RandomNumberGenerator) {
        var permissions = Permissions()
        permissions.brokers = [nil, nil, ["zerodha"], ["angel"]].randomElement(using: &random) ?? nil
        permissions.exchanges = [nil, ["NSE"], ["BSE"], []].randomElement(using: &random) ?? nil
        permissions.modes = Set(Mode.allCases.filter { _ in Int.random(in: 0..<4, using: &random) > 0 })
        permissions.orders = Bool.random(using: &random)
        permissions.maxInstruments = [nil, nil, 1, 2].randomElement(using: &random) ?? nil
        if Int.random(in: 0..<4, using: &random) > 0 {
            let chosen = Self.patterns.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
            permissions.symbols = chosen.map(\.pattern)
            symbols = chosen.reduce(into: []) { $0.formUnion($1.symbols) }
        } else {
            symbols = Set(Self.symbols)
        }
        self.permissions = permissions
    }

    func allows(broker: String) -> Bool {
        ["zerodha", "angel"].contains(broker) && (permissions.brokers ?? [broker]).contains(broker)
    }

    /// - Parameter symbol: Of one that exists, as it is written.
    func allows(_ symbol: String, _ exchange: String) -> Bool {
        let name = symbol.hasSuffix(":20") ? String(symbol.dropLast(3)) : symbol
        return symbols.contains(name) && (permissions.exchanges ?? [exchange]).contains(exchange)
    }

    func allows(mode: Int) -> Bool { permissions.modes.contains { Int($0.rawValue) == mode } }

    /// Instruments that exist and are forbidden.
    var forbidden: [(symbol: String, exchange: String)] {
        Self.exchanges.flatMap { exchange in Self.symbols.map { ($0, exchange) } }.filter { !allows($0.0, $0.1) }
    }
}

/// Requests at random, of the kinds that could lead to something forbidden.
struct RandomRequest {
    let text: String
    let action: String
    /// Of an `unsubscribe`; nil means all.
    private(set) var mode: Int?

    init(using random: inout some RandomNumberGenerator) {
        func pick<Value>(_ values: [Value], _ fallback: Value) -> Value {
            values.randomElement(using: &random) ?? fallback
        }
        let action = pick(
            [
                "subscribe", "subscribe", "subscribe", "subscribe", "unsubscribe", "unsubscribe", "unsubscribe_all",
                "subscribe_orders", "unsubscribe_orders", "get_broker_info", "get_supported_brokers",
            ], "subscribe")
        var members = [#""action":"\#(action)""#]
        let broker = pick(["", "", #""zerodha""#, #""angel""#, #""dhan""#, #""nobody""#, #""ANGEL""#, "null"], "")
        if !broker.isEmpty { members.append(#""broker":\#(broker)"#) }
        if action == "subscribe" || action == "unsubscribe" {
            let names =
                RandomKey.symbols + [
                    "RELIANCE:20", "SBIN:20", "*", "REL*", "?BIN", "RELIANC", "BADX", "BADRELIANCE", "X:20", "tcs",
                    " TCS", "TCS ",
                    "TCS:", "TCS:0", "TCS:x", "TCS:20:20", "\\u0052ELIANCE",
                ]
            let entries = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                let exchange = pick(["NSE", "NSE", "BSE", "BSE", "nse", "NSE_INDEX", "*", "NSE "], "NSE")
                return #"{"symbol":"\#(pick(names, "TCS"))","exchange":"\#(exchange)"}"#
            }
            members.append(#""symbols":[\#(entries.joined(separator: ","))]"#)
            let mode = pick(["", "1", "2", "3", "\"Depth\"", "9"], "")
            if !mode.isEmpty { members.append(#""mode":\#(mode)"#) }
            self.mode = mode.isEmpty ? nil : Int(mode) ?? 3
            if action == "subscribe", Int.random(in: 0..<8, using: &random) == 0 { members.append(#""max_rate":1000"#) }
        }
        self.action = action
        text = "{\(members.joined(separator: ","))}"
    }
}

/// What one client may have at the moment, by what it was answered.
struct Expected {
    struct Stream: Hashable {
        let broker: String
        let symbol: String
        let exchange: String
        let mode: Int
    }

    let key: RandomKey
    private(set) var streams: Set<Stream> = []
    private(set) var hearsOrders = false

    init(_ key: RandomKey) { self.key = key }

    /// What is wrong with a message that no request asked for; nil when nothing is.
    func fault(of message: JSONValue) -> String? {
        switch message["type"] {
        case "market_data":
            let stream = Stream(
                broker: message["broker"]?.string ?? "", symbol: message["symbol"]?.string ?? "",
                exchange: message["exchange"]?.string ?? "", mode: message["mode"]?.int ?? 0)
            guard streams.contains(stream) else { return "a stream that it does not have" }
            guard key.allows(broker: stream.broker), key.allows(mode: stream.mode),
                key.allows(stream.symbol, stream.exchange)
            else { return "a stream that is not permitted" }
            let name = stream.symbol.hasSuffix(":20") ? String(stream.symbol.dropLast(3)) : stream.symbol
            return message["data"]?["of"]
                == .string("\(stream.broker)/\(stream.exchange)/\(name)/\(stream.mode)") ? nil : "somebody else's data"
        case "order_update":
            guard hearsOrders, key.permissions.orders else { return "an order" }
            guard key.allows(broker: message["broker"]?.string ?? ""),
                key.allows(message["symbol"]?.string ?? "", message["exchange"]?.string ?? "")
            else { return "an order of what is not permitted" }
            return nil
        default: return "something that nobody asked for"
        }
    }

    /// Takes the answer to a request; what is wrong with it.
    mutating func take(_ reply: JSONValue, to request: RandomRequest) -> String? {
        switch request.action {
        case "subscribe": return subscribed(reply)
        case "unsubscribe", "unsubscribe_all": return unsubscribed(reply, request.mode)
        case "subscribe_orders":
            guard reply["status"] == "success" else { return nil }
            hearsOrders = true
            return key.permissions.orders ? nil : "orders are not permitted"
        case "unsubscribe_orders":
            // Who names one broker may still listen to the other.
            return nil
        case "get_broker_info":
            guard let broker = reply["broker"]?.string else { return nil }
            return key.allows(broker: broker) ? nil : "a broker that is not permitted"
        case "get_supported_brokers":
            guard case .array(let brokers) = reply["brokers"] else { return "no list" }
            let isPermitted = brokers.allSatisfy {
                (key.permissions.brokers ?? [$0.string ?? ""]).contains($0.string ?? "")
            }
            return isPermitted ? nil : "brokers that are not permitted"
        default: return nil
        }
    }

    private mutating func subscribed(_ reply: JSONValue) -> String? {
        guard case .array(let entries) = reply["subscriptions"] else {
            return reply["status"] == "error" ? nil : "no entries"
        }
        for entry in entries {
            let (symbol, exchange) = (entry["symbol"]?.string ?? "", entry["exchange"]?.string ?? "")
            let broker = entry["broker"]?.string ?? ""
            let message = entry["message"]?.string ?? ""
            guard entry["status"] == "success", let mode = entry["mode"]?.string.flatMap({ Mode(label: $0) }) else {
                if RandomKey.symbols.contains(symbol), RandomKey.exchanges.contains(exchange),
                    !key.allows(symbol, exchange), entry["code"] != "NOT_PERMITTED"
                {
                    return "\(entry["code"]?.string ?? "") for what is not permitted"
                }
                // The most frequent answer, to save time: it names nothing.
                if message == "Not permitted by this API key" { continue }
                for name in RandomKey.symbols where message.range(of: name) != nil && symbol.range(of: name) == nil {
                    if !key.allows(name, "NSE") || !key.allows(name, "BSE") { return "a hint at \(name)" }
                }
                continue
            }
            streams.insert(Stream(broker: broker, symbol: symbol, exchange: exchange, mode: Int(mode.rawValue)))
        }
        let held = Set(
            streams.map {
                "\($0.broker)/\($0.exchange)/\($0.symbol.hasSuffix(":20") ? String($0.symbol.dropLast(3)) : $0.symbol)"
            })
        if let limit = key.permissions.maxInstruments, held.count > limit {
            return "\(held.count) instruments of \(limit)"
        }
        return nil
    }

    private mutating func unsubscribed(_ reply: JSONValue, _ mode: Int?) -> String? {
        guard case .array(let failed) = reply["failed"], case .array(let left) = reply["successful"] else { return nil }
        for entry in left {
            streams = streams.filter { stream in
                .string(stream.broker) != entry["broker"] || .string(stream.symbol) != entry["symbol"]
                    || .string(stream.exchange) != entry["exchange"] || (mode != nil && stream.mode != mode)
            }
        }
        for entry in failed where entry["code"] != "NOT_PERMITTED" && entry["code"] != "INVALID_MODE" {
            return "\(entry["code"]?.string ?? "") for leaving"
        }
        return nil
    }
}
