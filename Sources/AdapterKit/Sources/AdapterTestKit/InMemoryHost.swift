import AdapterKit
import CFeedhostABI

/// A host without sockets, threads or a clock of its own: it loads an adapter through the same C tables as the real
/// one, records what the adapter does, and lets a test play the venue and move time by hand.
///
/// ```swift
/// let host = try InMemoryHost(AdapterEntry([Acme.registration]), settings: ["endpoint": "wss://here"])
/// host.connect()
/// host.subscribe([host.wish("NSE", "RELIANCE", FH_MODE_LTP)])
/// host.advance(by: .milliseconds(100))
/// host.acceptUpgrade()
/// host.deliver(#"{"price":"1187.75"}"#)
/// #expect(host.ticks.last?.record.ltp == 118_775)
/// ```
///
/// Not for use from several threads.
public final class InMemoryHost {
    /// An adapter that cannot be loaded.
    public struct LoadFailure: Error {
        /// What `create` answered.
        public var status: Status
        /// What was logged until then.
        public var log: [String]
    }

    /// Where the virtual clock starts: 2026-11-02 03:46:40 UTC, in nanoseconds.
    public static let epoch: UInt64 = 1_793_591_200_000_000_000

    /// The virtual clock: nanoseconds since the Unix epoch.
    public internal(set) var now: UInt64
    /// Updates in the order of publishing; empty while ``recordsTicks`` is off.
    public var ticks: [PublishedTick] = []
    /// How many updates were published.
    public var tickCount = 0
    /// Whether ``ticks`` is filled. Off for long runs.
    public var recordsTicks = true
    /// Order updates in the order of publishing.
    public var orders: [PublishedOrder] = []
    /// Log lines.
    public var log: [String] = []
    /// Changes of state.
    public var connections: [ConnectionEvent] = []
    /// Outcomes of wishes.
    public var results: [SubscriptionResult] = []
    /// How often outcomes were reported: one call may carry many.
    public var resultCalls = 0
    /// Counters by `FH_M_*`.
    public var metrics: [UInt32: Int64] = [:]
    /// WebSockets in the order of opening.
    public var sockets: [RecordedSocket] = []
    /// HTTP requests in the order of sending.
    public var fetches: [RecordedFetch] = []
    /// What opening a socket answers from now on; negative refuses it.
    public var openStatus = Status.ok

    let settings: [String: String]
    var settingBuffers: [String: UnsafeMutableBufferPointer<CChar>] = [:]
    var timers: [UInt64: VirtualTimer] = [:]
    var lastID: UInt64 = 0
    var generation: UInt64 = 0
    var request: UInt64 = 0
    var handles: [String: UInt32] = [:]

    /// The adapter's C table.
    public let adapter: UnsafePointer<fh_adapter>
    /// The adapter's half of the transport.
    public let events: UnsafePointer<fh_transport_events>?
    /// The descriptor of the adapter that is loaded.
    public let descriptor: UnsafePointer<fh_descriptor>
    /// The connection object, as the adapter knows it.
    public private(set) var instance: OpaquePointer?
    let hostTable: UnsafeMutablePointer<fh_host>
    let transportTable: UnsafeMutablePointer<fh_transport>
    let orderTable: UnsafeMutablePointer<fh_order_sink>

    /// Loads one adapter of `entry` and makes a connection object, with `settings` on top of the declared defaults.
    public init(
        _ entry: AdapterEntry, adapter index: Int = 0, settings: [String: String] = [:], link: UInt32 = 0,
        startingAt now: UInt64 = InMemoryHost.epoch
    ) throws {
        self.now = now
        guard let descriptor = entry.table.pointee.descriptors?[index],
            let adapter = entry.table.pointee.adapter?(descriptor.pointee.id)
        else { throw LoadFailure(status: .unsupported, log: []) }
        self.descriptor = descriptor
        self.adapter = adapter
        self.settings = Self.defaults(descriptor).merging(settings) { $1 }
        events = adapter.pointee.extension?(nil, "feedhost.transport/1")?
            .assumingMemoryBound(to: fh_transport_events.self)
        hostTable = .allocate(capacity: 1)
        transportTable = .allocate(capacity: 1)
        orderTable = .allocate(capacity: 1)
        hostTable.initialize(to: Self.makeHostTable())
        transportTable.initialize(to: Self.makeTransportTable())
        orderTable.initialize(to: Self.makeOrderTable())

        var params = fh_create_params()
        params.size = UInt32(MemoryLayout<fh_create_params>.size)
        params.link = link
        params.ctx = OpaquePointer(Unmanaged.passUnretained(self).toOpaque())
        params.host = UnsafePointer(hostTable)
        params.adapter_id = fh_str(
            ptr: descriptor.pointee.id, len: UInt64(String(cString: descriptor.pointee.id).utf8.count))
        let status = adapter.pointee.create?(&params, &instance) ?? Status.unsupported.rawValue
        if status < 0 { throw LoadFailure(status: Status(rawValue: status), log: log) }
    }

    deinit {
        if let instance { adapter.pointee.destroy?(instance) }
        for buffer in settingBuffers.values { buffer.deallocate() }
        hostTable.deallocate()
        transportTable.deallocate()
        orderTable.deallocate()
    }

    private static func defaults(_ descriptor: UnsafePointer<fh_descriptor>) -> [String: String] {
        var defaults: [String: String] = [:]
        var key = descriptor.pointee.config_keys
        while let current = key, let name = current.pointee.name {
            if let value = current.pointee.default_value { defaults[String(cString: name)] = String(cString: value) }
            key = current + 1
        }
        return defaults
    }

    func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// The value of one of the counters, `FH_M_*`.
    public func metric(_ metric: Int) -> Int64 { metrics[UInt32(metric)] ?? 0 }
}
