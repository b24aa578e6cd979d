import CFeedhostABI

/// The host's services for one adapter object.
///
/// Valid from the adapter's initialiser until it is destroyed. `log`, `count`, `config` and `now` may be called from any
/// thread; publishing and `reportTraffic` only from one thread at a time, which an adapter on the host's transport gets for
/// nothing.
///
/// Unchecked: the table is constant while the adapter lives, and the host makes its functions safe as tagged in `adapter.h`.
public struct Host: @unchecked Sendable {
    /// Severity of a log line.
    public enum LogLevel: Int32, Sendable {
        /// Every step; usually off.
        case trace = 0
        /// For the author of the adapter.
        case debug = 1
        /// Worth knowing.
        case info = 2
        /// Wrong, and handled.
        case warning = 3
        /// Wrong, and something was lost.
        case error = 4
    }

    /// A counter that the host keeps.
    public enum Counter: UInt32, Sendable {
        /// Frames that are valid and of no use, such as streams that were not asked for.
        case framesIgnored = 1
        /// Frames that could not be decoded.
        case framesBad = 2
        /// Updates that the adapter had to throw away.
        case ticksDropped = 3
        /// Breaks in the venue's sequence.
        case gaps = 4
    }

    @usableFromInline let table: UnsafePointer<fh_host>
    @usableFromInline let context: OpaquePointer?

    init?(_ params: fh_create_params) {
        // A table shorter than this kit knows would have functions missing in the middle of a call: better refused
        // here.
        guard let table = params.host, table.pointee.size >= UInt32(MemoryLayout<fh_host>.size) else { return nil }
        self.table = table
        context = params.ctx
    }

    /// The host's name and version, e.g. `feedhost 1.0.0`.
    public var name: String {
        let name = table.pointee.name.map { String(cString: $0) } ?? ""
        let version = table.pointee.version.map { String(cString: $0) } ?? ""
        return "\(name) \(version)"
    }

    /// Writes a line to the host's log. The host limits the rate. No secrets.
    public func log(_ level: LogLevel, _ message: String) {
        message.withBorrowed { table.pointee.log?(context, level.rawValue, $0) }
    }

    /// The value of a setting that the descriptor declares, its default included; `nil` if there is none.
    public func config(_ key: String) -> String? {
        let value = key.withBorrowed { table.pointee.config?(context, $0) ?? fh_str() }
        return value.len == 0 ? nil : String(value)
    }

    /// The whole number of a setting, which has to be within `range`.
    ///
    /// - Throws: ``Status/invalid`` naming the key, the value and the range.
    public func config(_ key: String, default defaultValue: Int, in range: ClosedRange<Int>) throws(AdapterError) -> Int
    {
        guard let text = config(key) else { return defaultValue }
        guard let value = Int(text), range.contains(value) else {
            throw AdapterError(
                .invalid,
                "\(key) must be a whole number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return value
    }

    /// Adds to one of the host's counters.
    public func count(_ counter: Counter, _ amount: Int64 = 1) {
        table.pointee.metric_add?(context, counter.rawValue, amount)
    }

    /// The host's clock: nanoseconds since the Unix epoch, UTC.
    public var now: UInt64 { table.pointee.now_ns?(context) ?? UInt64.max }

    /// The handle of a subscribed instrument by the broker's own name, or `nil`. Not for every tick: keep a
    /// ``BytesMap``.
    public func handle(brokerExchange: String, brokerToken: String) -> UInt32? {
        let handle = brokerExchange.withBorrowed { exchange in
            brokerToken.withBorrowed { table.pointee.find_by_token?(context, exchange, $0) ?? 0 }
        }
        return handle == 0 ? nil : handle
    }

    /// Tells the silence watchdog of traffic that the host did not carry itself.
    public func reportTraffic(frames: UInt32, bytes: UInt64, heartbeats: UInt32 = 0) {
        table.pointee.report_traffic?(context, frames, bytes, heartbeats)
    }

    /// The table of an optional ability, e.g. one in reverse DNS of your own, or `nil` if this host does not have it.
    public func `extension`(_ id: StaticString) -> UnsafeRawPointer? {
        id.withUTF8Buffer { text in
            guard let start = text.baseAddress else { return nil }
            return table.pointee.extension?(context, UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
        }
    }
}
