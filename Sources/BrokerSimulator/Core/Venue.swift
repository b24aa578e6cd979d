import NIOCore

/// One broker's server side: it decides who may come in, understands what clients send and makes the broker's bytes.
///
/// Everything is called on the simulation's one event loop, so a venue needs no lock. A venue keeps
/// `unowned let simulation`, which it gets when it is made (``VenueKind``); the simulation owns the venue.
///
/// The core does the rest: it listens, upgrades, answers pings, counts, records, walks the market, picks whose turn it
/// is (``send(_:to:)``), and performs faults.
protocol Venue: AnyObject {
    /// Where clients find what, for the line that the program prints.
    func endpoints(at address: ServerAddress) -> Endpoints

    /// Decides on a WebSocket upgrade. While a `refuse` fault is on, the core refuses and does not ask.
    func admit(_ request: PlainRequest) -> Admission

    /// The upgrade is through: the moment for greetings, and for evicting others.
    func opened(_ connection: VenueConnection)

    /// One whole message of a client, fragments joined.
    func received(_ message: ByteBuffer, isText: Bool, on connection: VenueConnection)

    /// A WebSocket ping, which the core has answered already.
    func pinged(_ payload: ByteBuffer, on connection: VenueConnection)

    /// The connection is gone, whoever ended it.
    func closed(_ connection: VenueConnection)

    /// Sends the current values of these subscriptions. The market has made a step for each of them; `entries` holds
    /// none twice.
    func send(_ entries: [Subscription], to connection: VenueConnection)

    /// Comes every 200 ms for each connection: heartbeats, and the end of those who are silent for too long.
    func sweep(_ connection: VenueConnection, now: NIODeadline)

    /// A plain HTTP request: master files, login. Nil is 404.
    func answer(_ request: PlainRequest) -> PlainAnswer?

    /// Tells everybody who listens to orders; nil-effect for stages that the broker does not tell.
    func publish(_ order: SimulatedOrder)

    /// Ends a connection as the broker does when it throws somebody out.
    func evict(_ connection: VenueConnection)

    /// Messages that are broken in this broker's own ways, by name, for the fault `malformed`.
    var malformed: [String: WireMessage] { get }

    /// How the broker writes an instrument: `408065`, `NSE|22`. For `/_sim/state` and for faults.
    func key(of instrument: Int) -> String

    /// What the broker calls a mode: `full`.
    func name(ofMode mode: UInt8) -> String
}

extension Venue {
    func opened(_ connection: VenueConnection) {}
    func pinged(_ payload: ByteBuffer, on connection: VenueConnection) {}
    func closed(_ connection: VenueConnection) {}
    func sweep(_ connection: VenueConnection, now: NIODeadline) {}
    func answer(_ request: PlainRequest) -> PlainAnswer? { nil }
    func evict(_ connection: VenueConnection) { connection.close(code: 1_000) }
    var malformed: [String: WireMessage] { [:] }
}

/// What a venue says to an upgrade.
enum Admission {
    /// - `kind`: `market`, `orders`, …, as in ``VenueConnection/kind``.
    /// - `credentials`: what the client has shown; only its hash is kept.
    case accept(kind: String, credentials: String, headers: [(String, String)] = [])
    /// - `reason`: for `/_sim/state`; the client sees the answer alone.
    case refuse(PlainAnswer, reason: String, credentials: String = "")
}

/// A message in either kind of data frame.
enum WireMessage {
    case text(String)
    case binary([UInt8])
}

/// Where the server listens.
struct ServerAddress: Sendable {
    var host: String
    var port: Int

    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Addresses that clients need.
public struct Endpoints: Sendable, Encodable {
    /// The market socket.
    public var url: String
    /// The order socket; the market socket for brokers that have one for both.
    public var ordersURL: String
    /// What REST paths are appended to.
    public var restURL: String
    /// The master files.
    public var masters: [String]

    enum CodingKeys: String, CodingKey {
        case url
        case ordersURL = "orders_url"
        case restURL = "rest_url"
        case masters
    }
}
