import CFeedhostABI
import Glibc
import MarketData
import Synchronization
import TestSupport

@testable import Adapters
@testable import Sessions

/// A wish as the adapter sees it.
struct SeenWish: Sendable, Hashable {
    let handle: UInt32
    let name: String
    let mode: Mode
    let depth: Int
    let listing: SeenListing
}

/// What the host says of an instrument beside its OpenAlgo names.
struct SeenListing: Sendable, Hashable {
    var exchange = ""
    var token = ""
    var priceExponent: Int8 = 0
    var tickSize: Int64 = 0
    var lotSize: Int64 = 0
}

extension SeenListing {
    init(_ instrument: fh_instrument) {
        self.init(
            exchange: instrument.broker_exchange.text, token: instrument.broker_token.text,
            priceExponent: instrument.price_exp, tickSize: instrument.tick_size, lotSize: instrument.lot_size)
    }
}

/// A call into the scripted adapter. `instance` counts from 1.
enum AdapterCall: Sendable, Equatable {
    case create(instance: Int, link: Int, connection: Int)
    case connect(instance: Int, generation: UInt64, version: UInt64, [String: String])
    case subscribe(instance: Int, request: UInt64, [SeenWish])
    case unsubscribe(instance: Int, request: UInt64, [UInt32])
    case disconnect(instance: Int, generation: UInt64)
    case destroy(instance: Int)
    case startOrders(instance: Int)
    case stopOrders(instance: Int)

    var isConnect: Bool { if case .connect = self { true } else { false } }
    var isSubscribe: Bool { if case .subscribe = self { true } else { false } }
    var isUnsubscribe: Bool { if case .unsubscribe = self { true } else { false } }
    var isDestroy: Bool { if case .destroy = self { true } else { false } }
    var isCreate: Bool { if case .create = self { true } else { false } }

    var isOrders: Bool {
        switch self {
        case .startOrders, .stopOrders: true
        default: false
        }
    }

    /// The wishes of a `subscribe()` as `NAME/mode/depth`.
    var wishes: [String] {
        guard case .subscribe(_, _, let wishes) = self else { return [] }
        return wishes.map { "\($0.name)/\($0.mode.label)/\($0.depth)" }.sorted()
    }
}

/// One broker whose adapter does what a test says. Found by its id, because C functions capture nothing.
final class ScriptedBroker: Sendable {
    typealias OnConnect = @Sendable (ScriptedInstance, UInt64) -> Int
    typealias OnSubscribe = @Sendable (ScriptedInstance, UInt64, [SeenWish]) -> Int

    struct Script: Sendable {
        /// Takes any credentials.
        static let accepting: OnConnect = { instance, generation in
            instance.report(FH_CONN_READY, generation)
            return Int(FH_OK)
        }

        var createStatus = Int(FH_OK)
        var offersOrders = true
        /// Used up one after another; then FH_OK.
        var orderStarts: [Int] = []
        /// Used up one after another; then ``connect`` answers.
        var connects: [OnConnect] = []
        var connect: OnConnect = Script.accepting
        /// Used up one after another; then ``subscribe`` answers.
        var subscribes: [OnSubscribe] = []
        var subscribe: OnSubscribe = { instance, request, wishes in
            instance.accept(request, wishes)
            return Int(FH_OK)
        }
    }

    let id: String
    let calls = Journal<AdapterCall>()
    let script = Mutex(Script())
    private let instances = Mutex<[ScriptedInstance]>([])
    private static let brokers = Mutex<[String: ScriptedBroker]>([:])

    init(_ id: String) {
        self.id = id
        Self.brokers.withLock { $0[id] = self }
    }

    static func named(_ id: String) -> ScriptedBroker? { brokers.withLock { $0[id] } }

    func change(_ body: @Sendable (inout Script) -> Void) { script.withLock { body(&$0) } }

    /// The last one that was made.
    var instance: ScriptedInstance? { instances.withLock { $0.last } }
    var count: Int { instances.withLock { $0.count } }
    subscript(number: Int) -> ScriptedInstance? { instances.withLock { $0.first { $0.number == number } } }

    func make(_ params: fh_create_params) -> ScriptedInstance {
        instances.withLock { instances in
            let instance = ScriptedInstance(broker: self, number: instances.count + 1, params: params)
            instances.append(instance)
            return instance
        }
    }
}

/// One connection of a scripted broker.
///
/// `@unchecked Sendable`: the pointers are the host's, which may be called from any thread until `destroy()`; the rest is
/// behind a lock.
final class ScriptedInstance: @unchecked Sendable {
    let broker: ScriptedBroker
    let number: Int
    /// Index of its kind of connection.
    let link: Int
    let context: OpaquePointer?
    let host: fh_host?
    /// What the broker sends, from the adapter's point of view.
    private let view = Mutex<[UInt32: SeenWish]>([:])
    private let destroyed = Mutex(false)

    init(broker: ScriptedBroker, number: Int, params: fh_create_params) {
        self.broker = broker
        self.number = number
        link = Int(params.link)
        context = params.ctx
        host = params.host?.pointee
    }

    var served: [UInt32: SeenWish] { view.withLock { $0 } }
    var isDestroyed: Bool { destroyed.withLock { $0 } }

    func forget(_ handles: [UInt32]? = nil) {
        view.withLock { view in
            guard let handles else { return view.removeAll() }
            for handle in handles { view[handle] = nil }
        }
    }

    func end() { destroyed.withLock { $0 = true } }

    /// Loses the connection, unless the host ends it in this moment: after `destroy()` nothing may be reported.
    func lose(_ generation: UInt64) {
        destroyed.withLock { if !$0 { report(FH_CONN_DISCONNECTED, generation, reason: FH_WHY_NETWORK) } }
    }

    /// Notes wishes as served without telling the host.
    func serve(_ wishes: [SeenWish]) { view.withLock { view in for wish in wishes { view[wish.handle] = wish } } }

    // MARK: Reports

    func report(
        _ state: Int, _ generation: UInt64, reason: Int = 0, message: String = "", retryAfter: UInt32 = 0
    ) {
        let text = StableText(message)
        var event = fh_conn_event()
        event.size = UInt32(MemoryLayout<fh_conn_event>.size)
        event.state = UInt32(state)
        event.reason = UInt32(reason)
        event.retry_after_ms = retryAfter
        event.generation = generation
        event.message = text.str
        host?.report_connection(context, &event)
        withExtendedLifetime(text) {}
    }

    func answer(
        _ request: UInt64, _ handle: UInt32, _ outcome: Int, mode: Int = 0, depth: UInt16 = 0, status: Int = 0,
        message: String = ""
    ) {
        let text = StableText(message)
        var result = fh_sub_result()
        result.handle = handle
        result.outcome = UInt32(outcome)
        result.granted_mode = UInt16(mode)
        result.granted_depth = depth
        result.status = fh_status(status)
        result.message = text.str
        host?.report_subscriptions(context, request, &result, 1)
        withExtendedLifetime(text) {}
    }

    /// Acknowledges all, as asked.
    func accept(_ request: UInt64, _ wishes: [SeenWish]) {
        serve(wishes)
        for wish in wishes {
            answer(
                request, wish.handle, FH_SUB_ACKED, mode: Int(wish.mode.abi), depth: UInt16(clamping: wish.depth))
        }
    }

    func reject(_ request: UInt64, _ wishes: [SeenWish], status: Int = Int(FH_E_LIMIT), message: String = "") {
        for wish in wishes { answer(request, wish.handle, FH_SUB_REJECTED, status: status, message: message) }
    }

    @discardableResult
    func publish(_ handle: UInt32, ltp: Int64) -> fh_status {
        var tick = fh_tick()
        tick.instrument = handle
        tick.kind = UInt16(FH_MODE_LTP)
        tick.fields = UInt64(FH_F_LTP)
        tick.price_exp = -2
        tick.ltp = ltp
        tick.ts_recv = fh_ts_none()
        tick.ts_exchange = fh_ts_none()
        return host?.publish_ticks(context, &tick, 1) ?? fh_status(FH_E_INVALID)
    }

    /// Publishes an order update of which only these are known.
    @discardableResult
    func publishOrder(
        _ id: String, _ status: String, filled: Int64? = nil, price: Int64? = nil, exchange: String = "",
        symbol: String = "", token: String = "", change: (inout fh_order) -> Void = { _ in }
    ) -> fh_status {
        let texts = [id, status, exchange, symbol, token].map { StableText($0) }
        var order = fh_order()
        order.size = UInt32(MemoryLayout<fh_order>.size)
        order.order_id = texts[0].str
        order.status = texts[1].str
        order.broker_exchange = texts[2].str
        order.broker_symbol = texts[3].str
        order.broker_token = texts[4].str
        order.price_exp = -2
        order.ts_exchange = fh_ts_none()
        if let filled {
            order.filled = filled
            order.known |= UInt32(FH_O_FILLED)
        }
        if let price {
            order.price = price
            order.known |= UInt32(FH_O_PRICE)
        }
        change(&order)
        let sink = host?.extension(context, "feedhost.orders/1")?.assumingMemoryBound(to: fh_order_sink.self)
        return withExtendedLifetime(texts) { sink?.pointee.publish(context, &order) ?? fh_status(FH_E_UNSUPPORTED) }
    }

    func find(exchange: String, token: String) -> UInt32 {
        let (exchange, token) = (StableText(exchange), StableText(token))
        return withExtendedLifetime((exchange, token)) {
            host?.find_by_token(context, exchange.str, token.str) ?? 0
        }
    }

    func log(_ text: String, level: Int = Int(FH_LOG_WARNING)) {
        let text = StableText(text)
        withExtendedLifetime(text) { host?.log(context, Int32(level), text.str) }
    }
}
