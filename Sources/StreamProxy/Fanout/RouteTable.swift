import MarketBus
import MarketData
import NIOCore

/// Who gets what: a shard's routes, their streams, and the clients on them.
///
/// Interest in the bus follows from it: the first stream of a route subscribes, the last one unsubscribes.
final class RouteTable {
    private final class Route {
        var streams: ContiguousArray<Stream> = []
    }

    private var routes: [RouteKey: Route] = [:]
    private var touched: ContiguousArray<Outbox> = []
    private let port: any BusPort
    private let deflater: Deflater
    private let counters: ProxyCounters
    private var isClosed = false

    init(port: any BusPort, deflater: Deflater, counters: ProxyCounters) {
        self.port = port
        self.deflater = deflater
        self.counters = counters
    }

    var count: Int { routes.count }

    /// The bus is closed; clients that leave later leave nothing there.
    func close() { isClosed = true }

    /// Puts a client on a stream; what comes from now on is sent to it. To be called when the acknowledgement has been
    /// queued, so that nothing can precede it.
    func join(_ key: StreamKey, exchange: String, broker: String, outbox: Outbox) -> Subscription {
        let stream = stream(key, exchange: exchange, broker: broker)
        let subscription = Subscription(stream: stream, exchange: exchange)
        stream.add(subscription, outbox)
        return subscription
    }

    /// Sends a client that has just joined the value that others have got already. Without one, the publisher's snapshot
    /// is on its way.
    func sendLastValue(of subscription: Subscription, to outbox: Outbox) {
        guard subscription.stream.hasValue, !subscription.hasLeft else { return }
        outbox.append(subscription.stream, for: subscription)
        touch(outbox)
    }

    func leave(_ subscription: Subscription) {
        guard !subscription.hasLeft else { return }
        subscription.hasLeft = true
        let stream = subscription.stream
        stream.remove(subscription)
        guard stream.subscriptions.isEmpty, let route = routes[stream.key.route] else { return }
        route.streams.removeAll { $0 === stream }
        if route.streams.isEmpty {
            routes[stream.key.route] = nil
            counters.routes.add(-1)
            if !isClosed { port.unsubscribe(stream.key.route) }
        }
    }

    private func stream(_ key: StreamKey, exchange: String, broker: String) -> Stream {
        if let stream = routes[key.route]?.streams.first(where: { $0.key.symbol == key.symbol }) { return stream }
        let stream = Stream(key: key, exchange: exchange, broker: broker, deflater: deflater)
        if let route = routes[key.route] {
            // The publisher answers only the first; the others take the value from their sibling.
            route.streams.first?.withPayload { stream.update($0) }
            route.streams.append(stream)
        } else {
            let route = Route()
            route.streams.append(stream)
            routes[key.route] = route
            counters.routes.add()
            port.subscribe(key.route)
        }
        return stream
    }

    /// Fans one message out. Nothing is parsed, and the frame is built once a stream.
    func receive(_ key: RouteKey, snapshot: Bool, _ payload: UnsafeRawBufferPointer) {
        guard let route = routes[key] else { return }
        for stream in route.streams {
            // A stream has a value as soon as anybody on it has received one: then the snapshot is no news.
            if snapshot, stream.hasValue { continue }
            stream.update(payload)
            // Copies: a write that fails may take its client off the stream.
            let outboxes = stream.outboxes
            let subscriptions = stream.subscriptions
            for index in outboxes.indices {
                let outbox = outboxes[index]
                outbox.append(stream, for: subscriptions[index])
                touch(outbox)
            }
        }
    }

    @inline(__always)
    private func touch(_ outbox: Outbox) {
        guard !outbox.isTouched else { return }
        outbox.isTouched = true
        touched.append(outbox)
    }

    /// One write for each client that got something.
    func flush() {
        var index = 0
        while index < touched.count {
            let outbox = touched[index]
            outbox.isTouched = false
            outbox.flush()
            index += 1
        }
        touched.removeAll(keepingCapacity: true)
    }
}
