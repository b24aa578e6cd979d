import MarketData
import Synchronization

/// A broker session in memory: grants at most 20 levels, refuses symbols that begin with `BAD`, and counts references.
final class SessionDouble: MarketSession {
    let id: UInt32
    let user: String
    let broker: String
    let modes: Set<Mode> = [.ltp, .quote, .depth]

    private struct State {
        var references: [RouteKey: Int] = [:]
        var status = "connected"
        var refusal: FeedError?
        var isPending = false
        var orders = 0
        var hasOrders = true
        var asked: [Wish] = []
        var times: [Duration] = []
        var hint = ""
        var trouble: SessionEvent?
    }

    private let state = Mutex(State())
    private let instruments: InstrumentHandles
    /// Holds subscriptions back until it opens.
    let gate = Gate(isOpen: true)

    init(id: UInt32, user: String, broker: String, instruments: InstrumentHandles) {
        self.id = id
        self.user = user
        self.broker = broker
        self.instruments = instruments
    }

    var references: [RouteKey: Int] { state.withLock { $0.references } }
    /// References of the order stream.
    var orders: Int { state.withLock { $0.orders } }

    /// What the subscriptions were given as time.
    var times: [Duration] { state.withLock { $0.times } }

    /// Wishes since the last call.
    func takeAsked() -> [Wish] {
        state.withLock { state in
            defer { state.asked = [] }
            return state.asked
        }
    }

    /// What follows the words that a symbol does not exist.
    func hint(_ text: String) { state.withLock { $0.hint = text } }

    func loseOrderStream() { state.withLock { $0.hasOrders = false } }

    /// The broker refuses everything, until it is called with nil.
    func refuse(_ error: FeedError?) {
        state.withLock { state in
            state.refusal = error
            state.status = error == nil ? "connected" : "disconnected"
        }
    }

    /// The broker has not answered the login yet.
    func connecting(_ isPending: Bool) {
        state.withLock { state in
            state.isPending = isPending
            state.status = isPending ? "connecting" : "connected"
        }
    }

    func ready() async throws {
        if let refusal = state.withLock({ $0.refusal }) { throw refusal }
    }

    func route(_ wish: Wish) -> RouteKey? {
        instruments.handle(of: wish.instrument).map {
            RouteKey(
                session: id, instrument: $0, mode: wish.mode, depth: UInt16(Self.granted(wish.depth)),
                suffix: wish.suffix)
        }
    }

    private static func granted(_ wish: Int) -> Int { wish >= 20 ? 20 : 5 }

    func subscribe(_ wishes: [Wish], within time: Duration) async -> [WishOutcome] {
        await gate.pass()
        let hint = state.withLock { state in
            state.asked += wishes
            state.times.append(time)
            return state.hint
        }
        if let refusal = state.withLock({ $0.refusal }) {
            return wishes.map { WishOutcome(wish: $0, result: .failure(refusal)) }
        }
        return wishes.map { wish in
            guard !wish.instrument.symbol.hasPrefix("BAD"), let route = route(wish) else {
                let text = "Symbol \(wish.instrument.symbol) not found for exchange \(wish.instrument.exchange)\(hint)"
                return WishOutcome(wish: wish, result: .failure(FeedError(.symbolNotFound, text)))
            }
            state.withLock { $0.references[route, default: 0] += 1 }
            let isPending = wish.instrument.symbol == "LATER" || state.withLock { $0.isPending }
            let grant = WishOutcome.Grant(route: route, depth: Self.granted(wish.depth), pending: isPending)
            return WishOutcome(wish: wish, result: .success(grant))
        }
    }

    func unsubscribe(_ routes: [RouteKey]) async {
        state.withLock { state in
            for route in routes {
                state.references[route, default: 0] -= 1
                if state.references[route] == 0 { state.references[route] = nil }
            }
        }
    }

    func startOrders() async throws {
        await gate.pass()
        try state.withLock { state in
            guard state.hasOrders else { throw FeedError(.broker, "no order stream") }
            state.orders += 1
        }
    }

    func stopOrders() async { state.withLock { $0.orders -= 1 } }

    func status() async -> String { state.withLock { $0.status } }

    var trouble: SessionEvent? { state.withLock { $0.trouble } }

    func fall(into trouble: SessionEvent?) { state.withLock { $0.trouble = trouble } }
}
