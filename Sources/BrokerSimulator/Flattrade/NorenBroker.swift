/// Which words the handshake and the session token go by.
public enum NorenGeneration: String, Sendable {
    /// `a`, `ak`, `accesstoken`; what all brokers of the family but two have moved to.
    case new
    /// `c`, `ck`, `susertoken`; the official Python client 0.0.22 speaks it.
    case old

    var request: String { self == .new ? "a" : "c" }
    var acknowledgement: String { self == .new ? "ak" : "ck" }
    var tokenKey: String { self == .new ? "accesstoken" : "susertoken" }
    var refusal: String { self == .new ? "Not_Ok" : "NOT_OK" }
}

/// How a broker of the Noren family publishes its instruments.
public enum NorenMasters: Sendable {
    /// Flattrade's eight CSV files, without tick sizes.
    case csv
    /// `NSE_symbols.txt.zip` and its like, one per exchange.
    case zippedText
}

/// One broker of the Noren family: what differs between them, and nothing else.
public struct NorenBroker: Sendable {
    public let name: String
    /// Path of the WebSocket.
    public let socketPath: String
    /// Path of the generation before; asked for, it is refused at the upgrade.
    public let formerSocketPath: String?
    public let masters: NorenMasters
    /// The product's key in an order update: `pcode` at Flattrade, `prd` elsewhere.
    public let productKey: String
    /// Whether `{"t":"o"}` is answered with `ok`; Flattrade's documents have no answer.
    public let acknowledgesOrders: Bool
    /// Whether the depth feed repeats the previous close as `cp`.
    public let sendsClosePrice: Bool

    public static let flattrade = NorenBroker(
        name: "flattrade", socketPath: "/PiConnectWSAPI/", formerSocketPath: "/PiConnectWSTp/", masters: .csv,
        productKey: "pcode", acknowledgesOrders: false, sendsClosePrice: true)
    public static let shoonya = NorenBroker(
        name: "shoonya", socketPath: "/NorenWSAPI/", formerSocketPath: "/NorenWSTP/", masters: .zippedText,
        productKey: "prd", acknowledgesOrders: true, sendsClosePrice: false)
    public static let zebu = NorenBroker(
        name: "zebu", socketPath: "/NorenWSAPI/", formerSocketPath: nil, masters: .zippedText, productKey: "prd",
        acknowledgesOrders: true, sendsClosePrice: false)
    public static let tradesmart = NorenBroker(
        name: "tradesmart", socketPath: "/NorenWSAPI/", formerSocketPath: nil, masters: .zippedText,
        productKey: "prd", acknowledgesOrders: true, sendsClosePrice: false)

    public static let all: [NorenBroker] = [.flattrade, .shoonya, .zebu, .tradesmart]
}
