import CFeedhostABI
import MarketData
import NIOCore
import Transport

/// An adapter instance in the host's own process. Its calls return at once, and their answers are reported like those of any
/// other.
final class InProcessInstance: AdapterInstance {
    let context: HostContext
    let lane: TransportLane
    private let table: UnsafePointer<fh_adapter>
    private let report: @Sendable (InstanceReport) -> Void
    /// Nil after its end.
    private var instance: OpaquePointer?
    /// The adapter's half of `feedhost.orders/1`; nil when this connection brings none.
    private var orders: UnsafePointer<fh_orders>?

    init(_ order: InstanceOrder) throws(FeedError) {
        let adapter = order.adapter
        table = adapter.table
        report = order.report
        context = HostContext(
            feed: order.feed, settings: order.settings, concealment: order.concealment, logger: order.logger,
            counters: order.counters, report: order.report)
        let timings = adapter.capabilities.timings
        var options = TransportLane.Options()
        options.pingInterval = timings.webSocketPing
        options.pongTimeout = timings.webSocketPongTimeout
        options.route = order.route
        lane = TransportLane(loop: order.loop, context: context, options: options)
        context.lane = lane

        let id = StableText(adapter.description.id)
        var params = fh_create_params(
            size: UInt32(MemoryLayout<fh_create_params>.size), link: UInt32(order.kind),
            connection_index: UInt32(order.connectionIndex), reserved: 0, ctx: context.pointer, host: HostTable.host,
            adapter_id: id.str)
        // The text would otherwise be free to go as soon as its address has been read.
        let status = withExtendedLifetime(id) {
            lane.enter("create") { table.pointee.create(&params, &instance) }
        }
        guard status == FH_OK, let instance else {
            context.lane = nil
            throw FeedError(
                .brokerInit, "The adapter \(adapter.description.id) could not be started: \(StatusWords.of(status)).")
        }
        let events = lane.enter("extension") { table.pointee.extension?(instance, "feedhost.transport/1") }
        lane.attach(instance: instance, events: events?.assumingMemoryBound(to: fh_transport_events.self))
        if adapter.capabilities.links[order.kind].carriesOrders {
            let offered = lane.enter("extension") { table.pointee.extension?(instance, "feedhost.orders/1") }
            orders = offered.map { $0.assumingMemoryBound(to: fh_orders.self) }.flatMap {
                // What is shorter than the first version has no functions to call.
                Int($0.pointee.size) >= MemoryLayout<fh_orders>.size && $0.pointee.start != nil
                    && $0.pointee.stop != nil ? $0 : nil
            }
        }
        report(.made(InstanceAbilities(carriesOrders: orders != nil)))
    }

    var heard: UInt64 { lane.received &+ context.lastTrafficTime }

    func takeEnd() -> SocketEnd? { lane.takeEnd() }

    func register(_ listing: Listing, as handle: UInt32) {
        context.register(exchange: listing.brokerExchange, token: listing.brokerToken, handle: handle)
    }

    func forget(_ listing: Listing, of handle: UInt32) {
        context.forget(exchange: listing.brokerExchange, token: listing.brokerToken, handle: handle)
    }

    func forgetListings() { context.forgetTokens() }

    // MARK: Calls

    func connect(_ credentials: BrokerCredentials, generation: UInt64) {
        call("connect", .connect(generation: generation)) { instance in
            LentCredentials.withPointer(credentials) { table.pointee.connect(instance, generation, $0) }
        }
    }

    func disconnect(generation: UInt64) {
        guard let instance else { return }
        _ = lane.enter("disconnect") { table.pointee.disconnect(instance, generation) }
        lane.closeAll()
    }

    func subscribe(_ wishes: [SubscriptionRequest], request: UInt64) {
        call("subscribe", .subscribe(request: request)) { instance in
            wishes.withRequests { table.pointee.subscribe(instance, request, $0.baseAddress, UInt32($0.count)) }
        }
    }

    func unsubscribe(_ wishes: [SubscriptionRequest], request: UInt64) {
        call("unsubscribe", .unsubscribe(request: request, count: wishes.count)) { instance in
            wishes.withRequests { table.pointee.unsubscribe(instance, request, $0.baseAddress, UInt32($0.count)) }
        }
    }

    func startOrders(request: UInt64) {
        call("orders.start", .startOrders(request: request)) { instance in
            orders?.pointee.start?(instance) ?? fh_status(FH_E_UNSUPPORTED)
        }
    }

    func stopOrders() {
        call("orders.stop", .stopOrders) { instance in
            orders?.pointee.stop?(instance) ?? fh_status(FH_E_UNSUPPORTED)
        }
    }

    func end(generation: UInt64) {
        guard let instance else { return }
        disconnect(generation: generation)
        self.instance = nil
        orders = nil
        lane.enter("destroy") { table.pointee.destroy(instance) }
        lane.detach()
    }

    private func call(_ name: StaticString, _ call: InstanceCall, _ body: (OpaquePointer) -> fh_status) {
        guard let instance else { return }
        report(.answer(call, lane.enter(name) { body(instance) }))
    }
}
