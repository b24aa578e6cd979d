import NIOCore
import NIOHTTP1

/// Angel One's servers: the market socket, the order socket, the login and the scrip master.
final class AngelVenue: Venue {
    static let marketPath = "/smart-stream"
    static let orderPath = "/smart-order-update"
    /// Of (token, mode) pairs on a connection: a token in three modes counts three times.
    static let pairLimit = 1_000
    /// Of tokens in depth-20 on a connection.
    static let depth20Limit = 50

    unowned let simulation: Simulation
    let options: AngelOptions
    /// By place in the market; nil for what Angel One does not carry.
    private let listings: [AngelListing?]
    private let places: [AngelKey: Int]
    private let indexRoots: Set<String>
    private var packets: AngelPacketCache
    var gate: AngelGate
    lazy var master = ByteBuffer(bytes: AngelMaster.file(simulation.market.instruments))

    /// What the venue remembers of a connection.
    private final class Presence {
        var lastPing: NIODeadline

        init(_ now: NIODeadline) { lastPing = now }
    }

    init(_ simulation: Simulation, options: AngelOptions) {
        self.simulation = simulation
        self.options = options
        let instruments = simulation.market.instruments
        let listings = instruments.map(AngelListing.init)
        self.listings = listings
        places = simulation.market.places { listings[$0]?.key }
        indexRoots = Set(instruments.lazy.filter(\.segment.isIndex).map(\.root))
        packets = AngelPacketCache(instruments: instruments.count)
        gate = AngelGate(simulation.options.credentials, checksAPIKey: options.checksAPIKey)
    }

    // MARK: Coming and going

    func admit(_ request: PlainRequest) -> Admission {
        let kind: String
        switch request.path {
        case Self.marketPath: kind = "market"
        case Self.orderPath: kind = "orders"
        default: return .refuse(PlainAnswer(.notFound), reason: "no such path")
        }
        let limit = simulation.options.connectionLimit ?? 3
        let open = simulation.connections.count { $0.kind == kind && $0.isOpen }
        return gate.admit(request, kind: kind, credentials: simulation.credentials, isFull: open >= limit)
    }

    func opened(_ connection: VenueConnection) {
        connection.state = Presence(simulation.loop.now)
        guard connection.kind == "orders" else { return }
        tell(AngelOrderFrame.connected(user: simulation.credentials.user), as: .acknowledgement, on: connection)
    }

    func pinged(_ payload: ByteBuffer, on connection: VenueConnection) { keepAlive(connection) }

    private func keepAlive(_ connection: VenueConnection) {
        (connection.state as? Presence)?.lastPing = simulation.loop.now
    }

    func sweep(_ connection: VenueConnection, now: NIODeadline) {
        guard let presence = connection.state as? Presence,
            now - presence.lastPing > .milliseconds(options.silenceMilliseconds)
        else { return }
        connection.close(code: 1_000)
    }

    // MARK: Requests

    func received(_ message: ByteBuffer, isText: Bool, on connection: VenueConnection) {
        let bytes = message.readableBytesView
        if bytes.elementsEqual("ping".utf8) {
            connection.heard(\.heartbeats)
            keepAlive(connection)
            if simulation.sendsHeartbeats { connection.send("pong", as: .pong) }
            return
        }
        guard connection.kind == "market" else { return }
        do throws(AngelRequest.Refusal) {
            let added = try carryOut(AngelRequest(bytes), on: connection)
            if !added.isEmpty { send(added, to: connection) }
        } catch {
            connection.send(error.frame, as: .error)
        }
    }

    /// Carries out a request wholly or not at all: one that fails leaves what was there undisturbed. Duplicates, unknown
    /// tokens and what was never subscribed are passed over in silence.
    /// - Returns: What is new.
    private func carryOut(
        _ request: AngelRequest, on connection: VenueConnection
    ) throws(AngelRequest.Refusal) -> [Subscription] {
        let entries = request.keys.compactMap { key in
            places[key].map { Subscription(instrument: $0, mode: request.mode.rawValue) }
        }
        guard request.subscribes else {
            for entry in entries { connection.subscriptions.remove(entry) }
            return []
        }
        var subscriptions = connection.subscriptions
        let added = entries.filter { subscriptions.insert($0) }
        let depth20 = subscriptions.entries.count { $0.mode == AngelMode.depth20.rawValue }
        guard subscriptions.count <= simulation.options.instrumentLimit ?? Self.pairLimit, depth20 <= Self.depth20Limit
        else { throw .limitExceeded(request.correlationID) }
        connection.subscriptions = subscriptions
        return added
    }

    // MARK: Sending

    func send(_ entries: [Subscription], to connection: VenueConnection) {
        for entry in entries {
            guard let listing = listings[entry.instrument], let mode = AngelMode(rawValue: entry.mode) else { continue }
            let quote = simulation.market.quotes[entry.instrument]
            let packet = packets.packet(quote, of: listing, at: entry.instrument, mode: mode)
            connection.send(packet, as: .tick, packets: 1)
        }
    }

    func publish(_ order: SimulatedOrder) {
        let instrument = simulation.market.instruments[order.instrument]
        guard let status = AngelOrderStatus(order), let listing = listings[order.instrument] else { return }
        let text = AngelOrderFrame.text(
            order, on: instrument, listing, isOnIndex: indexRoots.contains(instrument.root), status: status,
            user: simulation.credentials.user)
        for connection in simulation.connections where connection.kind == "orders" {
            tell(text, as: .order, on: connection)
        }
    }

    private func tell(_ text: String, as kind: FrameKind, on connection: VenueConnection) {
        let opcode: FrameBytes.Opcode = options.sendsOrdersAsBinary ? .binary : .text
        connection.send(opcode, ByteBuffer(string: text), as: kind)
    }

    // MARK: Names

    /// `1|10626`: exchange type and token.
    func key(of instrument: Int) -> String {
        listings[instrument].map { "\($0.key.exchange.rawValue)|\($0.key.token)" } ?? ""
    }

    func name(ofMode mode: UInt8) -> String { AngelMode(rawValue: mode)?.name ?? String(mode) }

    /// Breaks of Angel One's own rules.
    let malformed: [String: WireMessage] = [
        "empty": .binary([]), "short": .binary(Array(repeating: 1, count: 50)),
        "long": .binary([1, 1, 0x31] + Array(repeating: 0, count: 49)),
        "unknown-mode": .binary([9, 1, 0x31] + Array(repeating: 0, count: 48)),
        "unknown-exchange": .binary([1, 6, 0x31] + Array(repeating: 0, count: 48)),
        "unterminated-token": .binary([1, 1] + Array(repeating: 0x31, count: 25) + Array(repeating: 0, count: 24)),
        "not-json": .text("<html>"),
    ]
}
