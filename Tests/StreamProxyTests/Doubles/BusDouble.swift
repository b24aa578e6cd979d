import MarketBus
import MarketData
import Synchronization

/// A bus in memory: what tests publish is what the shard drains.
final class BusDouble: Sendable {
    enum Message: Sendable {
        case data(RouteKey, snapshot: Bool, String)
        case order(user: String, String)
    }

    private struct State {
        var interest: Set<RouteKey> = []
        var queue: [Message] = []
        var lastValues: [RouteKey: String] = [:]
        var signal: (@Sendable () -> Void)?
        var isArmed = true
        var isClosed = false
        var unsubscribes = 0
        var asked: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    var interest: Set<RouteKey> { state.withLock { $0.interest } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// The value that a new subscriber of the route gets as its snapshot.
    func setLastValue(_ key: RouteKey, _ payload: String) { state.withLock { $0.lastValues[key] = payload } }

    /// Queues a message, if anybody is interested, and wakes the shard.
    func publish(_ key: RouteKey, snapshot: Bool = false, _ payload: String) {
        post { $0.interest.contains(key) ? [.data(key, snapshot: snapshot, payload)] : [] }
    }

    func publishOrder(user: String, _ payload: String) { post { _ in [.order(user: user, payload)] } }

    /// Many at once, so that they come in one batch.
    func publish(_ messages: [Message]) { post { _ in messages } }

    /// Called each time that the shard looks for messages, before it gets any.
    func whenAsked(_ body: (@Sendable () -> Void)?) { state.withLock { $0.asked = body } }

    /// Has the shard take what waits, and lets nothing new come meanwhile.
    func whenIdle(drain: () -> Void) {
        let asked = state.withLock { state in
            defer { state.asked = nil }
            return state.asked
        }
        while state.withLock({ !$0.queue.isEmpty }) { drain() }
        whenAsked(asked)
    }

    private func post(_ messages: (State) -> [Message]) {
        let signal: (@Sendable () -> Void)? = state.withLock { state in
            state.queue += messages(state)
            guard state.isArmed, !state.queue.isEmpty else { return nil }
            state.isArmed = false
            return state.signal
        }
        signal?()
    }

    func makeReader() -> Port { Port(bus: self) }

    final class Port: BusReader {
        let bus: BusDouble
        private var left: [RouteKey] = []
        init(bus: BusDouble) { self.bus = bus }

        func subscribe(_ key: RouteKey) {
            flush()
            bus.post { state in
                state.lastValues[key].map { [.data(key, snapshot: true, $0)] } ?? []
            }
            bus.state.withLock { _ = $0.interest.insert(key) }
        }

        func unsubscribe(_ key: RouteKey) { left.append(key) }

        func flush() {
            bus.state.withLock { $0.interest.subtract(left) }
            left = []
        }

        func drain(limit: Int, _ body: (BusEvent) -> Void) -> Int {
            bus.state.withLock { $0.asked }?()
            let messages = bus.state.withLock { state in
                let messages = Array(state.queue.prefix(limit))
                state.queue.removeFirst(messages.count)
                return messages
            }
            for message in messages {
                switch message {
                case .data(let key, let snapshot, let text):
                    var text = text
                    text.withUTF8 { body(.data(key, snapshot: snapshot, payload: UnsafeRawBufferPointer($0))) }
                case .order(let user, let text):
                    var text = text
                    text.withUTF8 {
                        let json = UnsafeRawBufferPointer($0)
                        body(.order(OrderHeader(user: user, reading: json), payload: json))
                    }
                }
            }
            return messages.count
        }

        func wake(_ signal: @escaping @Sendable () -> Void) { bus.state.withLock { $0.signal = signal } }

        func rearm() {
            bus.state.withLock { $0.isArmed = true }
            bus.post { _ in [] }
        }

        func close() {
            bus.state.withLock {
                $0.signal = nil
                $0.isClosed = true
            }
        }
    }
}
