import Foundation

/// Something that the simulator shall do: a line of a script, or `POST /_sim/<name>` with a JSON body.
public struct Fault: Sendable {
    enum Name: String, CaseIterable, Sendable {
        /// Ends connections without a close frame.
        case drop
        /// Ends connections with a close frame: `code`, `reason`.
        case close
        /// Keeps connections open and sends nothing more on them, for `seconds` or until `unmute`; with `pongs` it still
        /// answers the pings of the WebSocket.
        case mute
        case unmute
        /// Neither reads nor sends, for `seconds` or until `resume_sockets`; then goes on where it stopped.
        case stall
        case resumeSockets = "resume_sockets"
        /// Answers upgrades with `status`, `headers` and `text`, `times` times or until `accept`.
        case refuse
        case accept
        /// Accepts another token from now on (`token`); `sockets` says what becomes of the open ones: `drop` (default),
        /// `mute`, `keep`.
        case roll
        /// Ends connections as this broker throws somebody out.
        case evict
        /// Sends a message: `text`, or `hex` for a binary one.
        case send
        /// Sends bytes under the WebSocket: `hex`.
        case raw
        /// Sends what is broken: `kind` is one of the venue's kinds or one that begins with `ws-`.
        case malformed
        /// Posts an order; see ``OrderPlan``.
        case order
        /// Sets values of one `instrument` (`NSE:INFY`, or as the broker writes it) and sends them; see ``TickChange``.
        case tick
        /// Every connection gets each of its subscriptions once, after one step of the market; `rounds` times.
        case emit
        /// No ticks until `resume`.
        case pause
        case resume
        /// Ticks a second and connection: `ticks`.
        case rate
        /// Whether the broker's heartbeats are sent: `on`.
        case heartbeats
    }

    enum Sockets: String, Sendable, Decodable {
        case drop, mute, keep
    }

    struct Body: Sendable, Decodable {
        /// Only this one; without it all.
        var connection: Int?
        /// Only connections of this kind: `market`, `orders`.
        var socket: String?
        /// Of a `roll`.
        var sockets: Sockets?
        var code: UInt16?
        var reason: String?
        var seconds: Double?
        var status: Int?
        var headers: [String: String]?
        var text: String?
        var times: Int?
        var token: String?
        var hex: String?
        var kind: String?
        var instrument: String?
        var rounds: Int?
        var ticks: Double?
        var on: Bool?
        var pongs: Bool?
    }

    let name: Name
    let body: Body
    /// The body again, for `order` and `tick`, whose members are many.
    let json: Data

    /// - Parameter body: A JSON object, or nothing.
    /// - Throws: ``SimulatorError`` for a name that is none, and for a body of the wrong shape.
    public init(_ name: String, body: String = "") throws(SimulatorError) {
        guard let known = Name(rawValue: name) else {
            throw SimulatorError(
                "There is no fault \(name). There are: \(Name.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        self.name = known
        json = Data((body.allSatisfy(\.isWhitespace) ? "{}" : body).utf8)
        self.body = try Self.decode(Body.self, from: json, for: known)
    }

    /// The body as something else.
    func decode<Value: Decodable>(_ type: Value.Type) throws(SimulatorError) -> Value {
        try Self.decode(type, from: json, for: name)
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, from json: Data, for name: Name
    ) throws(SimulatorError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: json)
        } catch let DecodingError.typeMismatch(_, context), let DecodingError.dataCorrupted(context) {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw SimulatorError("\(name.rawValue): \(path.isEmpty ? "the body" : path): \(context.debugDescription)")
        } catch {
            throw SimulatorError("\(name.rawValue): \(error)")
        }
    }
}
