import CFeedhostABI

/// How a connection stands, as far as the host has been told.
public enum ConnectionState: Hashable, Sendable {
    /// Not connected.
    case idle
    /// Trying.
    case connecting
    /// The socket is open, and the broker has not accepted us yet.
    case authenticating
    /// Subscriptions may be sent.
    case ready
}

/// The class that an adapter inherits from: one object is one broker connection.
///
/// Override ``connect(credentials:)``, ``subscribe(_:)``, ``unsubscribe(_:)`` and ``receive(_:)``, and of the other
/// hooks those that you need. The host makes all calls into one object one after another, so an adapter needs no lock.
/// Every call must return soon (250 ms at most) and never waits for the network: ask the transport and return.
///
/// The host reconnects, not the adapter: report ``disconnected(_:message:retryAfter:brokerCode:)`` and the host calls
/// ``connect(credentials:)`` again after a pause, with fresh credentials, and then subscribes everything anew.
///
/// ```swift
/// final class Acme: BaseAdapter {
///     override func connect(credentials: Credentials) throws(AdapterError) {
///         try openSocket("wss://feed.example.in", headers: [("Authorization", credentials.accessToken)])
///     }
///     override func opened(_ socket: SocketID, tag: UInt64, upgrade: Response?) { ready() }
///     override func subscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) { … }
///     override func receive(_ frame: Frame) { … host.publish(tick) }
/// }
/// ```
open class BaseAdapter {
    /// The host's services.
    public let host: Host
    /// Index of this connection's kind in the descriptor's links.
    public let link: Int
    /// 0 for the first connection of this kind, 1 for the second, and so on.
    public let connectionIndex: Int
    /// What this adapter declares.
    public let descriptor: AdapterDescriptor

    /// How the connection stands.
    public internal(set) var state: ConnectionState = .idle
    /// The number of the current connection attempt; late events of an older one are ignored.
    public internal(set) var generation: UInt64 = 0

    let transport: UnsafePointer<fh_transport>?
    var pending = PendingSubscriptions()
    /// Outcomes are gathered while this is above 0 and told in one call afterwards.
    var gathering = 0
    /// The ids of those that are open or opening. Asked for every frame, hence a table that is not guarded and not counted.
    let sockets = IntegerMap<Bool>(capacity: 4)
    /// Whether a timer repeats; one that does not is forgotten when it has run.
    var timers: [TimerID: Bool] = [:]
    var fetches: Set<FetchID> = []
    var heartbeats: [TimerID: Heartbeat] = [:]
    let orderSink: UnsafePointer<fh_order_sink>?
    /// Whether a client wants order updates of this connection now. Ends with the connection.
    public internal(set) var wantsOrders = false

    /// Makes a connection object. No I/O here; settings may be read and lines logged. Throw if a setting makes no
    /// sense.
    public init(_ context: AdapterContext) throws(AdapterError) {
        host = context.host
        link = context.link
        connectionIndex = context.connectionIndex
        descriptor = context.descriptor
        transport = context.transport
        orderSink = context.orderSink
    }

    // MARK: - Hooks to override

    /// Connects. Call ``ready()`` when subscriptions may be sent, here or later.
    open func connect(credentials: Credentials) throws(AdapterError) {
        throw AdapterError(.unsupported, "connect(credentials:) is not overridden")
    }

    /// Subscribes. Tell what became of each wish with ``settle(_:_:)``, here or when the broker answers.
    ///
    /// Whatever is thrown rejects all wishes of the call that have no outcome yet. If the descriptor does not say
    /// `confirmsSubscriptions`, those left when this returns are reported as sent.
    open func subscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        throw AdapterError(.unsupported, "subscribe(_:) is not overridden")
    }

    /// Unsubscribes. Needs no outcome.
    open func unsubscribe(_ requests: [SubscriptionRequest]) throws(AdapterError) {
        throw AdapterError(.unsupported, "unsubscribe(_:) is not overridden")
    }

    /// Forgets all subscriptions. The kit has told the host and closed sockets and timers already.
    open func disconnect() {}

    /// Order updates are wanted: subscribe to them if the broker wants that, and ``publish(_:)`` them. Called when the
    /// connection is ready, again after every reconnect, of one connection a user.
    open func startOrders() throws(AdapterError) {}

    /// Order updates are not wanted any more. ``publish(_:)`` drops what still comes.
    open func stopOrders() {}

    /// Decodes a message. The hot path: allocate nothing here.
    open func receive(_ frame: Frame) {}

    /// A socket is open.
    open func opened(_ socket: SocketID, tag: UInt64, upgrade: Response?) {}

    /// A socket is gone, with the WebSocket close code (1006 without one) and, if the venue refused it, its answer.
    ///
    /// Without an override this reports ``disconnected(_:message:retryAfter:brokerCode:)`` with a fitting reason.
    open func closed(_ socket: SocketID, tag: UInt64, code: UInt32, refusal: Response?) {
        lostConnection(code: code, refusal: refusal)
    }

    /// The answer to ``fetch(_:method:headers:body:timeout:tag:)``.
    open func fetched(_ id: FetchID, tag: UInt64, response: Response) {}

    /// A timer has run out; `now` is nanoseconds since the Unix epoch, UTC.
    open func timer(_ timer: TimerID, tag: UInt64, now: UInt64) {}
}

/// What an adapter object is made from; pass it on to ``BaseAdapter/init(_:)``.
public struct AdapterContext {
    /// The host's services.
    public let host: Host
    /// Index of this connection's kind in the descriptor's links.
    public let link: Int
    /// 0 for the first connection of this kind.
    public let connectionIndex: Int
    /// What the adapter declares.
    public let descriptor: AdapterDescriptor
    let transport: UnsafePointer<fh_transport>?
    let orderSink: UnsafePointer<fh_order_sink>?

    init?(_ params: fh_create_params, descriptor: AdapterDescriptor) {
        guard params.size >= UInt32(MemoryLayout<fh_create_params>.size), let host = Host(params) else { return nil }
        self.host = host
        link = Int(params.link)
        connectionIndex = Int(params.connection_index)
        self.descriptor = descriptor
        let table = host.extension("feedhost.transport/1")?.assumingMemoryBound(to: fh_transport.self)
        transport = table.flatMap { $0.pointee.size >= UInt32(MemoryLayout<fh_transport>.size) ? $0 : nil }
        let sink = host.extension("feedhost.orders/1")?.assumingMemoryBound(to: fh_order_sink.self)
        orderSink = sink.flatMap { $0.pointee.size >= UInt32(MemoryLayout<fh_order_sink>.size) ? $0 : nil }
    }
}
