import NIOCore
import NIOHTTP1

/// The servers of a broker of the Noren family: one socket for market and orders, a login, instrument files.
final class NorenVenue: Venue {
    unowned let simulation: Simulation
    let broker: NorenBroker
    let options: NorenOptions
    /// By place in the market; nil for what the family does not carry.
    let listings: [NorenListing?]
    let places: [NorenScrip: Int]
    /// Places of all contracts on an underlying, for its total interest.
    private let contracts: [String: [Int]]
    /// When the last session with a token was left by its client.
    private var left: [String: NIODeadline] = [:]
    /// What the account holds, by place.
    private var positions: [Int: Int64] = [:]
    lazy var masters = NorenMaster.files(simulation.market.instruments, style: broker.masters)

    init(_ simulation: Simulation, broker: NorenBroker, options: NorenOptions) {
        self.simulation = simulation
        self.broker = broker
        self.options = options
        let instruments = simulation.market.instruments
        let listings = instruments.map(NorenListing.init)
        self.listings = listings
        places = simulation.market.places { listings[$0]?.scrip }
        contracts = Dictionary(
            grouping: instruments.indices.filter { instruments[$0].segment.hasOpenInterest },
            by: { instruments[$0].root })
    }

    // MARK: Coming and going

    func admit(_ request: PlainRequest) -> Admission {
        let path = request.path.hasSuffix("/") ? request.path : request.path + "/"
        if path == broker.socketPath || options.generation == .old && path == broker.formerSocketPath {
            return .accept(kind: "market", credentials: "")
        }
        let isFormer = path == broker.formerSocketPath
        return .refuse(
            PlainAnswer(isFormer ? .forbidden : .notFound), reason: isFormer ? "former endpoint" : "no such path")
    }

    func opened(_ connection: VenueConnection) { connection.state = NorenSession(simulation.loop.now) }

    func closed(_ connection: VenueConnection) {
        guard let session = session(of: connection), let token = session.token, !session.isEvicted else { return }
        left[token] = simulation.loop.now
    }

    func pinged(_ payload: ByteBuffer, on connection: VenueConnection) {
        session(of: connection)?.lastHeartbeat = simulation.loop.now
    }

    func sweep(_ connection: VenueConnection, now: NIODeadline) {
        guard let session = session(of: connection),
            now - session.lastHeartbeat > .milliseconds(options.silenceMilliseconds)
        else { return }
        connection.close(code: 1_000)
    }

    func session(of connection: VenueConnection) -> NorenSession? { connection.state as? NorenSession }

    /// The one session of the account that is neither refused nor thrown out, besides this one.
    func others(than connection: VenueConnection) -> [VenueConnection] {
        simulation.connections.filter { other in
            guard other !== connection, let session = session(of: other) else { return false }
            return session.token != nil && !session.isEvicted
        }
    }

    /// Whether the client of this token has left so lately that it is not let in again yet.
    func isCoolingDown(_ token: String) -> Bool {
        guard let leftAt = left[token] else { return false }
        return simulation.loop.now - leftAt < .milliseconds(options.cooldownMilliseconds)
    }

    func evict(_ connection: VenueConnection) {
        session(of: connection)?.isEvicted = true
        connection.close(code: 1_000)
    }

    // MARK: Sending

    func send(_ entries: [Subscription], to connection: VenueConnection) {
        guard let session = session(of: connection) else { return }
        for entry in entries {
            guard let listing = listings[entry.instrument], let feed = NorenFeed(rawValue: entry.mode) else { continue }
            var bytes = ByteBuffer()
            if let known = session.known[entry] {
                let image = image(entry.instrument, listing, isSnapshot: false)
                guard NorenMessage.writeDelta(image, since: known, of: listing, feed: feed, to: &bytes) else {
                    continue
                }
                // What a muted connection misses is news again afterwards.
                if !connection.isMuted { session.known[entry]?.merge(image) }
            } else {
                let image = image(entry.instrument, listing, isSnapshot: true)
                NorenMessage.writeSnapshot(image, of: listing, feed: feed, to: &bytes)
                if !connection.isMuted { session.known[entry] = image.withoutDeltaFields }
            }
            connection.send(.text, bytes, as: .tick, packets: 1)
        }
    }

    private func image(_ place: Int, _ listing: NorenListing, isSnapshot: Bool) -> NorenImage {
        let quotes = simulation.market.quotes
        var total: Int64?
        if isSnapshot {
            total = contracts[simulation.market.instruments[place].root]?.reduce(0) { $0 + quotes[$1].openInterest }
        }
        return NorenImage(
            quotes[place], of: listing, totalInterest: total, sendsClosePrice: broker.sendsClosePrice)
    }

    func publish(_ order: SimulatedOrder) {
        guard let listing = listings[order.instrument] else { return }
        let user = simulation.credentials.user
        positions[order.instrument, default: 0] += order.isBuy ? order.fillQuantity : -order.fillQuantity
        let net = positions[order.instrument] ?? 0
        let update = NorenOrderMessage.order(order, of: listing, broker: broker, user: user)
        for connection in simulation.connections {
            guard let session = session(of: connection), session.token != nil else { continue }
            if session.wantsOrders, let update { connection.send(update, as: .order) }
            if session.wantsPositions, order.fillQuantity > 0 {
                let text = NorenOrderMessage.position(order, of: listing, net: net, broker: broker, user: user)
                connection.send(text, as: .message)
            }
        }
    }

    // MARK: Names

    /// `NSE|22`
    func key(of instrument: Int) -> String { listings[instrument]?.scrip.key ?? "" }

    func name(ofMode mode: UInt8) -> String { NorenFeed(rawValue: mode).map { "\($0)" } ?? String(mode) }

    /// Breaks of the family's own rules.
    let malformed: [String: WireMessage] = [
        "not-json": .text("tick"), "truncated": .text(#"{"t":"tf","e":"NSE","tk":"26000","lp":"2"#),
        "no-exchange": .text(#"{"t":"tf","tk":"26000","lp":"24000.00"}"#), "array": .text(#"[{"t":"tf"}]"#),
        "numbers": .text(#"{"t":"tf","e":"NSE","tk":"26000","lp":24000.5}"#),
        "placeholders": .text(#"{"t":"tf","e":"NSE","tk":"26000","lp":"-","o":"","h":"0.00"}"#),
        "unknown-type": .text(#"{"t":"zz","e":"NSE","tk":"26000"}"#), "binary": .binary([1, 1, 0x32, 0x36]),
    ]
}
