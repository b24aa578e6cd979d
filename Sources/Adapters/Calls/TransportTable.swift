import CFeedhostABI
import NIOCore
import Transport

extension TransportLane {
    /// The host's half of `feedhost.transport/1`, valid for the life of the process. Its functions take the pointer to
    /// a ``TransportContext`` as `fh_host_ctx`, answer `FH_E_STATE` away from the lane, and never trap.
    public static var table: UnsafePointer<fh_transport> { TransportTable.shared.pointer }
}

/// `@unchecked Sendable`: the memory is written once, before anybody has the pointer, and never freed.
private struct TransportTable: @unchecked Sendable {
    static let shared = TransportTable()

    let pointer: UnsafePointer<fh_transport>

    private init() {
        let memory = UnsafeMutablePointer<fh_transport>.allocate(capacity: 1)
        memory.initialize(
            to: fh_transport(
                size: UInt32(MemoryLayout<fh_transport>.size), reserved: 0, open: transportOpen, send: transportSend,
                close: transportClose, fetch: transportFetch, timer: transportTimer, cancel: transportCancel))
        pointer = UnsafePointer(memory)
    }
}

/// Finds the lane and runs `body` on it; what it throws becomes a line in the log and a status.
private func onLane(_ context: OpaquePointer?, _ body: (TransportLane) throws(TransportFailure) -> Void) -> fh_status {
    guard let context else { return fh_status(FH_E_INVALID) }
    let owner = Unmanaged<TransportContext>.fromOpaque(UnsafeRawPointer(context)).takeUnretainedValue()
    guard let lane = owner.lane else { return fh_status(FH_E_STATE) }
    return lane.serve {
        do throws(TransportFailure) {
            try body(lane)
            return fh_status(FH_OK)
        } catch {
            lane.trouble(error.message)
            return error.status
        }
    }
}

/// As ``onLane(_:_:)``, for what starts something: an id comes back, and the instance must exist.
private func starting(
    _ context: OpaquePointer?, _ out: UnsafeMutablePointer<fh_id>?,
    _ body: (TransportLane) throws(TransportFailure) -> fh_id
) -> fh_status {
    guard let out else { return fh_status(FH_E_INVALID) }
    out.pointee = 0
    return onLane(context) { lane throws(TransportFailure) in
        guard !lane.isStopping else { throw TransportFailure(FH_E_STOPPING, "the instance is being ended") }
        guard lane.instance != nil else {
            throw TransportFailure(FH_E_STATE, "the transport is used before create() has returned")
        }
        out.pointee = try body(lane)
    }
}

private func transportOpen(
    _ context: OpaquePointer?, _ request: UnsafePointer<fh_request>?, _ socket: UnsafeMutablePointer<fh_id>?
) -> fh_status {
    starting(context, socket) { lane throws(TransportFailure) in try lane.open(try AdapterRequest(request)) }
}

private func transportSend(_ context: OpaquePointer?, _ socket: fh_id, _ opcode: UInt32, _ bytes: fh_str) -> fh_status {
    onLane(context) { lane throws(TransportFailure) in
        guard bytes.len == 0 || bytes.ptr != nil, let count = Int(exactly: bytes.len) else {
            throw TransportFailure(FH_E_INVALID, "send() has no bytes to send")
        }
        try lane.send(socket, opcode: opcode, UnsafeRawBufferPointer(start: bytes.ptr, count: count))
    }
}

private func transportClose(_ context: OpaquePointer?, _ socket: fh_id, _ code: UInt32) {
    _ = onLane(context) { $0.close(socket, code: code) }
}

private func transportFetch(
    _ context: OpaquePointer?, _ request: UnsafePointer<fh_request>?, _ id: UnsafeMutablePointer<fh_id>?
) -> fh_status {
    starting(context, id) { lane throws(TransportFailure) in try lane.fetch(try AdapterRequest(request)) }
}

private func transportTimer(
    _ context: OpaquePointer?, _ user: UInt64, _ delay: UInt32, _ interval: UInt32,
    _ timer: UnsafeMutablePointer<fh_id>?
) -> fh_status {
    starting(context, timer) { lane throws(TransportFailure) in
        try lane.startTimer(user: user, delay: delay, interval: interval)
    }
}

private func transportCancel(_ context: OpaquePointer?, _ id: fh_id) {
    _ = onLane(context) { $0.cancel(id) }
}
