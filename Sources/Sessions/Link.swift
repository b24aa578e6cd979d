import Adapters
import CFeedhostABI
import Logging
import MarketData
import NIOCore
import Transport

/// One adapter instance: one connection to the broker. Confined to its lane, the event loop on which the session's actor
/// runs; every call into the adapter is made from there, one after another.
final class Link {
    let index: Int
    let kind: LinkKind
    let kindIndex: Int
    let adapter: LoadedAdapter
    let context: HostContext
    let instance: OpaquePointer
    let lane: TransportLane
    /// Position among the user's connections of this kind, as the adapter was told.
    let connectionIndex: Int
    /// The adapter's half of `feedhost.orders/1`; nil when this connection brings none.
    private let orders: UnsafePointer<fh_orders>?

    var backoff: Backoff
    /// Ends a wait: for the connect, for the next attempt.
    var timer: Scheduled<Void>?
    var pacing: Scheduled<Void>?
    /// When the link became ready; nil while it is not. A clock that nobody sets.
    var readySince: NIODeadline?
    /// Since when and why it is down; nil while it stands, and while it is being made for the first time.
    var down: Down?
    /// Hash of the credentials of the last connect, to know them again without keeping them; nil before the first.
    var fingerprint: Int?
    /// Refusals in a row.
    var authenticationFailures = 0
    /// True while it is the one that brings the user's order updates.
    var bringsOrders = false
    /// Makes the instance.
    /// - Throws: ``FeedError`` with `BROKER_INIT_ERROR` when the adapter does not make one.
    init(
        index: Int, kindIndex: Int, connectionIndex: Int, adapter: LoadedAdapter, context: HostContext,
        loop: any EventLoop, route: OutboundRoute = OutboundRoute()
    ) throws {
        self.index = index
        self.kindIndex = kindIndex
        kind = adapter.capabilities.links[kindIndex]
        self.connectionIndex = connectionIndex
        self.adapter = adapter
        self.context = context
        backoff = Backoff(
            base: adapter.capabilities.timings.backoffBase, longest: adapter.capabilities.timings.backoffMax)
        var options = TransportLane.Options()
        options.pingInterval = adapter.capabilities.timings.webSocketPing
        options.pongTimeout = adapter.capabilities.timings.webSocketPongTimeout
        options.route = route
        let lane = TransportLane(loop: loop, context: context, options: options)
        self.lane = lane
        context.lane = lane

        let id = StableText(adapter.description.id)
        var params = fh_create_params(
            size: UInt32(MemoryLayout<fh_create_params>.size), link: UInt32(kindIndex),
            connection_index: UInt32(connectionIndex), reserved: 0, ctx: context.pointer, host: HostTable.host,
            adapter_id: id.str)
        var instance: OpaquePointer?
        // The text would otherwise be free to go as soon as its address has been read.
        let status = withExtendedLifetime(id) {
            lane.enter("create") { adapter.table.pointee.create(&params, &instance) }
        }
        guard status == FH_OK, let instance else {
            context.lane = nil
            throw FeedError(
                .brokerInit, "The adapter \(adapter.description.id) could not be started: \(Link.describe(status)).")
        }
        self.instance = instance
        let events = lane.enter("extension") { adapter.table.pointee.extension?(instance, "feedhost.transport/1") }
        lane.attach(instance: instance, events: events?.assumingMemoryBound(to: fh_transport_events.self))
        let table =
            kind.carriesOrders
            ? lane.enter("extension") { adapter.table.pointee.extension?(instance, "feedhost.orders/1") } : nil
        orders = table.map { $0.assumingMemoryBound(to: fh_orders.self) }.flatMap {
            // What is shorter than the first version has no functions to call.
            Int($0.pointee.size) >= MemoryLayout<fh_orders>.size && $0.pointee.start != nil && $0.pointee.stop != nil
                ? $0 : nil
        }
    }

    // MARK: Order updates

    var canBringOrders: Bool { orders != nil }

    /// The connection must be ready.
    func startOrders() -> fh_status {
        guard let start = orders?.pointee.start else { return fh_status(FH_E_UNSUPPORTED) }
        let status = lane.enter("orders.start") { start(instance) }
        bringsOrders = status == FH_OK
        return status
    }

    func stopOrders() {
        guard bringsOrders, let stop = orders?.pointee.stop else { return }
        bringsOrders = false
        let status = lane.enter("orders.stop") { stop(instance) }
        if status != FH_OK { context.logger.warning("order updates cannot be stopped: \(Link.describe(status))") }
    }

    // MARK: Life signs

    /// True if the connection has stood for so long.
    func hasBeenHealthy(for time: TimeAmount) -> Bool { readySince.map { NIODeadline.now() - $0 >= time } ?? false }

    /// True while the log has said that nothing comes.
    var isKnownSilent = false
    var silence = SilenceWatch()

    /// Changes with everything that the broker sends, the pongs of its WebSocket excepted: those come from a server whose
    /// feed has died, too.
    var heard: UInt64 { lane.received &+ context.lastTrafficTime }
}
