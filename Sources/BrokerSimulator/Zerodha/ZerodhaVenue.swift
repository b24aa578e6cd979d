import Foundation
import NIOCore
import NIOHTTP1

/// Zerodha's Kite Connect: one socket for ticks (binary) and orders (text), REST for login and master files
/// (Kite Connect docs, "WebSocket streaming", "User", "Market quotes and instruments").
final class ZerodhaVenue: Venue {
    /// Of one API key.
    static let connectionLimit = 3
    /// Of one connection.
    static let instrumentLimit = 3_000
    /// Kite sends a byte when nothing else was to be sent for "a couple of seconds"; in practice for one.
    private static let heartbeatInterval = TimeAmount.seconds(1)

    unowned let simulation: Simulation
    private var packets: KitePackets
    private let places: [UInt32: Int]
    /// Compressed master files by path.
    var masters: [String: ByteBuffer] = [:]

    init(_ simulation: Simulation) {
        self.simulation = simulation
        let packets = KitePackets(simulation.market.instruments)
        self.packets = packets
        places = simulation.market.places { packets.listings[$0]?.token }
    }

    func endpoints(at address: ServerAddress) -> Endpoints {
        let rest = "http://\(address.authority)"
        return Endpoints(
            url: "ws://\(address.authority)/", ordersURL: "ws://\(address.authority)/", restURL: rest,
            masters: ["\(rest)/instruments"])
    }

    // MARK: Upgrades

    func admit(_ request: PlainRequest) -> Admission {
        let (key, token) = (request.query["api_key"] ?? "", request.query["access_token"] ?? "")
        guard request.path == "/" else { return .refuse(PlainAnswer(.notFound), reason: "not the ticker's path") }
        func refuse(_ error: KiteError, _ reason: String) -> Admission {
            .refuse(error.answer, reason: reason, credentials: token)
        }
        guard !key.isEmpty, !token.isEmpty else {
            return refuse(.input("Missing `api_key` or `access_token`."), "parameters are missing")
        }
        guard key == simulation.credentials.apiKey else { return refuse(.token, "wrong api_key") }
        guard token == simulation.credentials.accessToken else { return refuse(.token, "wrong access_token") }
        let limit = simulation.options.connectionLimit ?? Self.connectionLimit
        // A token that was rolled over still counts: the limit is the key's.
        guard simulation.connections.filter(\.isOpen).count < limit else {
            return refuse(.tooMany, "too many connections")
        }
        return .accept(kind: "market", credentials: token)
    }

    // MARK: Requests

    func received(_ message: ByteBuffer, isText: Bool, on connection: VenueConnection) {
        guard isText, let request = try? JSONDecoder().decode(KiteRequest.self, from: Data(message.readableBytesView))
        else {
            return say("error", "Invalid request.", on: connection)
        }
        switch request {
        case .subscribe(let tokens): subscribe(tokens, on: connection)
        case .unsubscribe(let tokens):
            for index in tokens.compactMap({ places[$0] }) {
                if let entry = held(index, connection) { connection.subscriptions.remove(entry) }
            }
        case .mode(let mode, let tokens):
            var changed: [Subscription] = []
            // Nothing happens for what was never subscribed.
            for index in tokens.compactMap({ places[$0] }) {
                guard let old = held(index, connection), old.mode != mode.rawValue else { continue }
                let new = Subscription(instrument: index, mode: mode.rawValue)
                connection.subscriptions.replace(old, with: new)
                changed.append(new)
            }
            send(changed, to: connection)
        }
    }

    private func held(_ index: Int, _ connection: VenueConnection) -> Subscription? {
        KiteMode.allCases.lazy.map { Subscription(instrument: index, mode: $0.rawValue) }
            .first { connection.subscriptions.contains($0) }
    }

    /// Quote mode until a mode is asked for. The last tick is sent at once, also when the market is closed.
    private func subscribe(_ tokens: [UInt32], on connection: VenueConnection) {
        let limit = simulation.options.instrumentLimit ?? Self.instrumentLimit
        var replay: [Subscription] = []
        var isFull = false
        for index in tokens.compactMap({ places[$0] }) {
            if let entry = held(index, connection) {
                replay.append(entry)
                continue
            }
            guard connection.subscriptions.count < limit else {
                isFull = true
                continue
            }
            let entry = Subscription(instrument: index, mode: KiteMode.quote.rawValue)
            connection.subscriptions.insert(entry)
            replay.append(entry)
        }
        send(replay, to: connection)
        if isFull { say("error", "Subscription limit of \(limit) instruments exceeded.", on: connection) }
    }

    // MARK: Frames

    func send(_ entries: [Subscription], to connection: VenueConnection) {
        for message in packets.messages(entries, of: simulation.market) {
            connection.send(message.bytes, as: .tick, packets: message.packets)
        }
    }

    func sweep(_ connection: VenueConnection, now: NIODeadline) {
        guard simulation.sendsHeartbeats, now - connection.lastSent >= Self.heartbeatInterval else { return }
        connection.send(ByteBuffer(bytes: [0]), as: .heartbeat)
    }

    func publish(_ order: SimulatedOrder) {
        guard let listing = packets.listings[order.instrument] else { return }
        let frame = KiteOrder.frame(
            order, of: listing, exponent: simulation.market.instruments[order.instrument].segment.priceExponent,
            user: simulation.credentials.user, secret: simulation.credentials.apiSecret)
        for connection in simulation.connections { connection.send(frame, as: .order) }
    }

    private struct Saying: Encodable {
        var type: String
        var data: String
    }

    /// Kite says nothing when it ends a connection: clients see 1006.
    func evict(_ connection: VenueConnection) { connection.drop() }

    /// A text frame: `error` or `message`.
    private func say(_ type: String, _ text: String, on connection: VenueConnection) {
        let frame = String(buffer: JSONBytes.of(Saying(type: type, data: text)))
        connection.send(frame, as: type == "error" ? .error : .message)
    }

    // MARK: Names

    func key(of instrument: Int) -> String { packets.listings[instrument].map { String($0.token) } ?? "" }

    func name(ofMode mode: UInt8) -> String { KiteMode(rawValue: mode)?.name ?? "" }

    let malformed: [String: WireMessage] = [
        "empty": .binary([]),
        "no-packets": .binary([0, 0]),
        "truncated": .binary([0, 1, 0, 44, 0, 6, 0x3A, 1, 0, 2, 0x66, 0x83]),
        "count-too-large": .binary([0xFF, 0xFF, 0, 8, 0, 6, 0x3A, 1, 0, 2, 0x66, 0x83]),
        "zero-length": .binary([0, 1, 0, 0]),
        "unknown-length": .binary([0, 1, 0, 50] + [UInt8](repeating: 1, count: 50)),
        // A whole LTP packet of a token that does not exist.
        "unknown-token": .binary([0, 1, 0, 8, 0xFE, 0xDC, 0xBA, 1, 0, 2, 0x66, 0x83]),
        "bad-json": .text("{\"type\":\"order\",\"data\":{"),
        "unknown-type": .text("{\"type\":\"instruments_meta\",\"data\":{\"count\":1,\"etag\":\"W/\\\"1\\\"\"}}"),
        "order-without-data": .text("{\"type\":\"order\"}"),
    ]
}

extension VenueKind {
    /// Zerodha's Kite Connect.
    public static let zerodha = VenueKind("zerodha") { ZerodhaVenue($0) }
}
