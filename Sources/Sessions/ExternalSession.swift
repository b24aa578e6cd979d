import MarketData

/// The session of everybody whose ticks come from publishers outside. No adapter stands behind it: every symbol is
/// granted, and the messages are passed on as they come.
final class ExternalSession: MarketSession {
    /// The broker that needs no adapter.
    static let broker = "external"

    let id: UInt32
    let user: String
    let broker: String
    let modes = Set(Mode.allCases)
    private let instruments: InstrumentHandles

    init(id: UInt32, broker: String, instruments: InstrumentHandles) {
        self.id = id
        self.broker = broker
        self.instruments = instruments
        // Publishers name no user, so all users share it.
        user = ""
    }

    func ready() async {}

    func subscribe(_ wishes: [Wish], within time: Duration) async -> [WishOutcome] {
        wishes.map { wish in
            guard let handle = instruments.handle(of: wish.instrument) else {
                let error = FeedError(.symbolNotFound, "\(wish.instrument) is no name that a topic can carry")
                return WishOutcome(wish: wish, result: .failure(error))
            }
            let depth = max(1, min(wish.depth, 200))
            let route = RouteKey(
                session: id, instrument: handle, mode: wish.mode, depth: UInt16(depth), suffix: wish.suffix)
            return WishOutcome(wish: wish, result: .success(.init(route: route, depth: depth, pending: false)))
        }
    }

    func unsubscribe(_ routes: [RouteKey]) async {}

    /// Those who publish ticks from outside may publish order updates too; nothing has to be started for it.
    func startOrders() async throws {
        throw FeedError(.broker, "\(broker) is fed from outside and has no order stream of its own")
    }

    func stopOrders() async {}
    func status() async -> String { "connected" }
}
