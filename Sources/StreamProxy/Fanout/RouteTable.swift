import MarketBus
import MarketData
import NIOCore

/// Who gets what: a shard's routes, their streams, and the clients on them. Confined to its loop.
///
/// Interest in the bus follows from it: the first stream of a route subscribes, the last one unsubscribes.
final class RouteTable {
    private final class Route {
        var streams: ContiguousArray<Stream> = []
    }

    let postponed = PostponedWrites()

    private var routes: [RouteKey: Route] = [:]
    let cohorts = CohortTable()
    private let pacing = Pacing()
    /// Those with something to send, in the order in which it came.
    private var touched: ContiguousArray<Cohort> = []
    /// Somebody walks through the lists of clients.
    private var isDelivering = false
    /// A batch has grown so large that no more shall be gathered before the next round.
    private var isFull = false
    private var spare: ContiguousArray<FrameBuffer> = []
    private let port: any BusReader
    private let deflater: Deflater
    private let counters: ProxyCounters
    private var isClosed = false

    init(port: any BusReader, deflater: Deflater, counters: ProxyCounters) {
        self.port = port
        self.deflater = deflater
        self.counters = counters
    }

    var count: Int { routes.count }

    /// The bus is closed; clients that leave later leave nothing there.
    func close() { isClosed = true }

    // MARK: Clients

    /// Puts a client on a stream; what comes from now on is sent to it. To be called when the acknowledgement has been
    /// queued, so that nothing can precede it.
    /// - Parameter interval: At most one message in that time, the newest; nil for all.
    func join(
        _ key: StreamKey, exchange: String, broker: String, outbox: Outbox, interval: TimeAmount? = nil
    ) -> Subscription {
        let stream = stream(key, exchange: exchange, broker: broker)
        let subscription = Subscription(stream: stream, exchange: exchange, outbox: outbox, interval: interval)
        stream.subscribers += 1
        if subscription.pace == nil {
            cohorts.insert(stream, for: outbox)
        } else {
            stream.paced.append(subscription)
        }
        return subscription
    }

    /// Queues the value that others have got already for a client that has just joined. Without one, the publisher's
    /// snapshot is on its way.
    func appendLastValue(of subscription: Subscription) {
        guard subscription.stream.hasValue, !subscription.hasLeft else { return }
        subscription.outbox.append(subscription.stream)
    }

    func leave(_ subscription: Subscription) {
        guard !subscription.hasLeft else { return }
        subscription.hasLeft = true
        let stream = subscription.stream
        if subscription.pace == nil {
            cohorts.remove(stream, for: subscription.outbox)
        } else {
            stream.paced.removeAll { $0 === subscription }
        }
        subscription.outbox.forget(stream)
        stream.subscribers -= 1
        guard stream.subscribers == 0, let route = routes[stream.key.route] else { return }
        route.streams.removeAll { $0 === stream }
        if route.streams.isEmpty {
            routes[stream.key.route] = nil
            counters.routes.add(-1)
            if !isClosed { port.unsubscribe(stream.key.route) }
        }
    }

    /// The client is going: it gets nothing any more. Its subscriptions may leave later, a part in each turn.
    func dismiss(_ outbox: Outbox) { cohorts.dismiss(outbox) }

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

    // MARK: Messages

    /// Gathers one message for everybody who wants it. Nothing is parsed, and the frame is built once a stream.
    func receive(_ key: RouteKey, snapshot: Bool, _ payload: UnsafeRawBufferPointer) {
        guard let route = routes[key] else { return }
        // Everybody is where it belongs before anything is gathered. In a round nothing changes.
        if cohorts.isUnsettled, !isDelivering { cohorts.settle() }
        for stream in route.streams {
            // A stream has a value as soon as anybody on it has received one: then the snapshot is no news.
            if snapshot, stream.hasValue { continue }
            stream.update(payload)
            for follower in stream.followers { gather(stream, for: follower.cohort) }
            if !stream.paced.isEmpty { pacing.receive(stream) }
        }
    }

    @inline(__always)
    private func gather(_ stream: Stream, for cohort: Cohort) {
        let batch: FrameBuffer
        if let running = cohort.batch {
            batch = running
        } else {
            batch = spare.popLast() ?? FrameBuffer(capacity: Outbox.chunk)
            cohort.begin(batch)
            touched.append(cohort)
        }
        guard cohort.gather(stream, into: batch) >= Outbox.chunk else { return }
        if isDelivering { isFull = true } else { cohort.deliver() }
    }

    /// Clients that are served between two looks at what has come meanwhile: some 50 µs of writing.
    private static let clientsPerLook = 16

    /// One round: one write for each client that is to get something.
    /// - Parameter look: Called in between; it may ``receive(_:snapshot:_:)`` what has come meanwhile, and nothing else. Who
    ///   had their turn get it in the next round.
    /// - Returns: Whether another round is due.
    func flush(_ look: () -> Void) -> Bool {
        cohorts.settle()
        isDelivering = true
        isFull = false
        var served = 0
        let due = touched.count
        for place in 0..<due {
            let cohort = touched[place]
            cohort.deliver {
                served += 1
                if served % Self.clientsPerLook == 0, !isFull { look() }
            }
            if let memory = cohort.takeMemory() { spare.append(memory) } else { touched.append(cohort) }
        }
        touched.removeFirst(due)
        isDelivering = false
        cohorts.settle()
        postponed.run()
        return !touched.isEmpty
    }

    /// Puts clients whose streams have changed together with those who have the same, and tells the bus which routes nobody
    /// wants any more. Outside of a batch.
    func settle() {
        cohorts.settle()
        postponed.run()
        if !isClosed { port.flush() }
    }

    /// Sends what subscriptions with a rate of their own may get now.
    /// - Returns: When the next one may; nil when nothing waits.
    func pace(_ now: @autoclosure () -> NIODeadline) -> NIODeadline? {
        guard pacing.next != nil else { return nil }
        pacing.send(now())
        return pacing.next
    }

    /// Memory of batches that nobody uses now, for a sweep now and then: a burst must not keep it for ever.
    func trim() {
        cohorts.trim()
        if spare.count > 4 { spare.removeFirst(spare.count / 2) }
    }
}
