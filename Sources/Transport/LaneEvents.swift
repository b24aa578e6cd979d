import CFeedhostABI

/// The adapter's half of the transport, copied; a function that its table is too short for is nil.
struct LaneEvents {
    private(set) var onOpen: (@convention(c) (OpaquePointer?, fh_id, UInt64, UnsafePointer<fh_response>?) -> Void)?
    private(set) var onFrame: (@convention(c) (OpaquePointer?, fh_id, UInt64, UInt32, fh_str, UInt64) -> Void)?
    private(set) var onClosed:
        (@convention(c) (OpaquePointer?, fh_id, UInt64, UInt32, UnsafePointer<fh_response>?) -> Void)?
    private(set) var onFetched: (@convention(c) (OpaquePointer?, fh_id, UInt64, UnsafePointer<fh_response>?) -> Void)?
    private(set) var onTimer: (@convention(c) (OpaquePointer?, fh_id, UInt64, UInt64) -> Void)?

    /// For an adapter that does not use the transport.
    init() {}

    init(_ table: UnsafePointer<fh_transport_events>) {
        /// FH_HAS(): every function is one pointer long.
        func has(_ field: PartialKeyPath<fh_transport_events>) -> Bool {
            guard let offset = MemoryLayout<fh_transport_events>.offset(of: field) else { return false }
            return Int(table.pointee.size) >= offset + MemoryLayout<UnsafeRawPointer>.size
        }
        if has(\.on_open) { onOpen = table.pointee.on_open }
        if has(\.on_frame) { onFrame = table.pointee.on_frame }
        if has(\.on_closed) { onClosed = table.pointee.on_closed }
        if has(\.on_fetched) { onFetched = table.pointee.on_fetched }
        if has(\.on_timer) { onTimer = table.pointee.on_timer }
    }
}
