import MarketData
import Secrets

/// One request, checked and understood (client-protocol.md section 3).
enum Request {
    case authenticate(key: Secret)
    case subscribe(SubscribeRequest)
    case unsubscribe(UnsubscribeRequest)
    case subscribeOrders(broker: String?)
    case unsubscribeOrders(broker: String?)
    case brokerInfo(broker: String?)
    case supportedBrokers
    case ping(timestamp: JSONValue?, pingID: JSONValue?)

    /// Whether it is about one of the user's brokers.
    var needsAccount: Bool {
        switch self {
        case .subscribe, .unsubscribe, .subscribeOrders, .unsubscribeOrders, .brokerInfo: true
        case .authenticate, .supportedBrokers, .ping: false
        }
    }

    /// - Parameter isAuthenticated: Whether the client may do more than come in, look around and ping.
    init(_ value: JSONValue, isAuthenticated: Bool) throws(Rejection) {
        guard case .object = value else {
            throw .notAnObject(value, "a request is a JSON object with an \"action\"")
        }
        let verb = Self.verb(of: value)
        switch verb.string {
        case "authenticate", "auth":
            self = .authenticate(key: try Self.key(of: value))
        case "ping":
            self = .ping(timestamp: value["timestamp"], pingID: value["_pingId"])
        case "get_supported_brokers":
            self = .supportedBrokers
        case "subscribe", "unsubscribe", "unsubscribe_all", "subscribe_orders", "unsubscribe_orders", "get_broker_info":
            guard isAuthenticated else { throw .notAuthenticated }
            self = try Self.authenticated(verb.string ?? "", value)
        default:
            throw Rejection(.invalidAction, "Invalid action: \(verb.pythonText)")
        }
    }

    private static func authenticated(_ verb: String, _ value: JSONValue) throws(Rejection) -> Request {
        switch verb {
        case "subscribe": .subscribe(try SubscribeRequest(value))
        case "unsubscribe": .unsubscribe(try UnsubscribeRequest(value))
        case "unsubscribe_all": .unsubscribe(UnsubscribeRequest(what: .all, broker: try broker(of: value)))
        case "subscribe_orders": .subscribeOrders(broker: try broker(of: value))
        case "unsubscribe_orders": .unsubscribeOrders(broker: try broker(of: value))
        default: .brokerInfo(broker: try broker(of: value))
        }
    }

    /// `action`, else `type`: whichever is true in Python's eyes.
    private static func verb(of value: JSONValue) -> JSONValue {
        if let action = value["action"], action.isTruthy { return action }
        return value["type"] ?? .null
    }

    /// `broker`, one of the user's; nil for the usual one.
    static func broker(of value: JSONValue) throws(Rejection) -> String? {
        // Serialisers write null, and forms an empty text, for "not given".
        guard let field = value["broker"], field != .null, field != "" else { return nil }
        guard let name = field.string else { throw Rejection(.invalidParameters, "broker must be a text") }
        return name
    }

    /// Keys are 64 characters; nothing much longer is worth hashing.
    private static let maxKeyLength = 1024

    private static func key(of value: JSONValue) throws(Rejection) -> Secret {
        let candidates = [value["api_key"], value["apikey"]].compactMap { $0 }
        guard let key = candidates.first(where: \.isTruthy) else {
            throw Rejection(.authentication, "API key is required")
        }
        guard let text = key.string, text.utf8.count <= maxKeyLength else {
            throw Rejection(
                .authentication, "Invalid API key", detail: "api_key must be a text of at most \(maxKeyLength) bytes")
        }
        return Secret(text)
    }
}
