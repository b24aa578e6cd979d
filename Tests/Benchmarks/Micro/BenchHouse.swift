import Glibc
import MarketBus
import MarketData
import Secrets
import Synchronization

/// Lets everybody in, and gives them all one session.
final class BenchHouse: Authenticator, SessionDirectory, MarketSession {
    let id: UInt32
    let user = "bench"
    let broker = "bench"
    let modes: Set<Mode> = Set(Mode.allCases)
    let brokers = ["bench"]
    private let bus: SharedPublisher
    private let instruments: InstrumentHandles

    init(_ bus: SharedPublisher, session: UInt32, instruments: InstrumentHandles) {
        (self.bus, self.instruments) = (bus, instruments)
        id = session
    }

    func authenticate(key: Secret) async throws -> Account { Account(user: user, broker: broker, keyID: 1) }
    func attach(user: String, broker: String) async throws -> any MarketSession { self }
    func detach(_ session: any MarketSession) async {}
    func ready() async throws {}
    func status() async -> String { "connected" }
    func startOrders() async throws {}
    func stopOrders() async {}
    func unsubscribe(_ routes: [RouteKey]) async {}

    func subscribe(_ wishes: [Wish], within time: Duration) async -> [WishOutcome] {
        wishes.map { wish in
            guard let handle = instruments.handle(of: wish.instrument) else {
                return WishOutcome(wish: wish, result: .failure(FeedError(.symbolNotFound, "no such symbol")))
            }
            bus.track(session: id, instrument: handle)
            let route = RouteKey(session: id, instrument: handle, mode: wish.mode, depth: 5)
            return WishOutcome(wish: wish, result: .success(.init(route: route, depth: 5, pending: false)))
        }
    }
}

/// Lets a thread sleep until a task is done.
final class Waiting: Sendable {
    private let state = Mutex<(isDone: Bool, trouble: String?)>((false, nil))

    func finish(_ trouble: String?) { state.withLock { $0 = (true, trouble) } }

    func wait() -> String? {
        while !state.withLock({ $0.isDone }) { usleep(1_000) }
        return state.withLock { $0.trouble }
    }
}
