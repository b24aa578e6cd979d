import CFeedhostABI

/// A message that the kit sends again and again for as long as its socket is open.
struct Heartbeat {
    var socket: SocketID
    var opcode: Opcode
    var payload: [UInt8]
}

/// The methods of an HTTP request.
public enum HTTPMethod: UInt32, Sendable {
    /// Asks for something.
    case get = 1
    /// Sends a body.
    case post = 2
}

// Sockets, requests and timers that the host runs for the adapter. None of these calls blocks, and none calls back
// before it returns. Call them from inside a hook only.
extension BaseAdapter {
    /// Opens a WebSocket; ``opened(_:tag:upgrade:)`` or ``closed(_:tag:code:refusal:)`` follows.
    ///
    /// The URL and the header fields are taken as secrets and never logged. `tag` comes back with every event.
    @discardableResult
    public func openSocket(
        _ url: String, headers: [(String, String)] = [], timeout: Duration? = nil, tag: UInt64 = 0
    ) throws(AdapterError) -> SocketID {
        var id: fh_id = 0
        let status = withRequest(url, .get, headers, [], timeout, tag) { request in
            transport?.pointee.open?(host.context, request, &id) ?? Status.unsupported.rawValue
        }
        try AdapterError.check(status, "opening a socket")
        let socket = SocketID(rawValue: id)
        sockets[socket.rawValue] = true
        return socket
    }

    /// Sends a message; ``Status/limit`` means that 1 MiB is waiting already.
    @discardableResult
    public func send(_ payload: some Collection<UInt8>, opcode: Opcode = .text, on socket: SocketID) -> Status {
        func send(_ bytes: UnsafeBufferPointer<UInt8>) -> Status {
            let status = transport?.pointee.send?(host.context, socket.rawValue, opcode.rawValue, fh_str(bytes))
            return Status(rawValue: status ?? Status.unsupported.rawValue)
        }
        return payload.withContiguousStorageIfAvailable(send) ?? Array(payload).withUnsafeBufferPointer(send)
    }

    /// Sends text.
    @discardableResult
    public func send(_ text: String, on socket: SocketID) -> Status {
        send(text.utf8, on: socket)
    }

    /// Closes a socket; no event follows. The heartbeats on it stop.
    public func close(_ socket: SocketID, code: UInt32 = 1_000) {
        guard forget(socket) else { return }
        transport?.pointee.close?(host.context, socket.rawValue, code)
    }

    /// Sends an HTTP request; ``fetched(_:tag:response:)`` follows. Redirects are handed over, not followed.
    @discardableResult
    public func fetch(
        _ url: String, method: HTTPMethod = .get, headers: [(String, String)] = [], body: [UInt8] = [],
        timeout: Duration? = nil, tag: UInt64 = 0
    ) throws(AdapterError) -> FetchID {
        var id: fh_id = 0
        let status = withRequest(url, method, headers, body, timeout, tag) { request in
            transport?.pointee.fetch?(host.context, request, &id) ?? Status.unsupported.rawValue
        }
        try AdapterError.check(status, "sending a request")
        let fetch = FetchID(rawValue: id)
        fetches.insert(fetch)
        return fetch
    }

    /// Forgets a request; no event follows.
    public func cancel(_ fetch: FetchID) {
        guard fetches.remove(fetch) != nil else { return }
        transport?.pointee.cancel?(host.context, fetch.rawValue)
    }

    /// Starts a timer; ``timer(_:tag:now:)`` follows after `delay` and, with `interval`, again and again. Microseconds
    /// count.
    ///
    /// A timer belongs to the current connection and ends with it.
    @discardableResult
    public func startTimer(
        after delay: Duration, every interval: Duration? = nil, tag: UInt64 = 0
    ) throws(AdapterError) -> TimerID {
        var id: fh_id = 0
        let first = UInt32(clamping: delay.wholeMicroseconds)
        // 0 would mean "once".
        let next = interval.map { max(1, UInt32(clamping: $0.wholeMicroseconds)) } ?? 0
        let status =
            transport?.pointee.timer?(host.context, tag, first, next, &id) ?? Status.unsupported.rawValue
        try AdapterError.check(status, "starting a timer")
        let timer = TimerID(rawValue: id)
        timers[timer] = next != 0
        return timer
    }

    /// Stops a timer.
    public func cancel(_ timer: TimerID) {
        guard timers.removeValue(forKey: timer) != nil else { return }
        heartbeats[timer] = nil
        transport?.pointee.cancel?(host.context, timer.rawValue)
    }

    /// Sends `payload` on `socket` every `interval` until the socket is gone or the timer is cancelled.
    ///
    /// ```swift
    /// override func opened(_ socket: SocketID, tag: UInt64, upgrade: Response?) {
    ///     try? startHeartbeat(Array(#"{"a":"ping"}"#.utf8), on: socket, every: .seconds(30))
    /// }
    /// ```
    @discardableResult
    public func startHeartbeat(
        _ payload: [UInt8], opcode: Opcode = .text, on socket: SocketID, every interval: Duration
    ) throws(AdapterError) -> TimerID {
        let timer = try startTimer(after: interval, every: interval)
        heartbeats[timer] = Heartbeat(socket: socket, opcode: opcode, payload: payload)
        return timer
    }

    /// Takes a socket out of the books; `false` if it was not in them.
    func forget(_ socket: SocketID) -> Bool {
        guard sockets[socket.rawValue] != nil else { return false }
        sockets[socket.rawValue] = nil
        stopHeartbeats(on: socket)
        return true
    }

    private func stopHeartbeats(on socket: SocketID) {
        for (timer, heartbeat) in heartbeats where heartbeat.socket == socket { cancel(timer) }
    }

    private func withRequest(
        _ url: String, _ method: HTTPMethod, _ headers: [(String, String)], _ body: [UInt8], _ timeout: Duration?,
        _ tag: UInt64, _ call: (UnsafePointer<fh_request>) -> Int32
    ) -> Int32 {
        // Everything the request points to lies in one buffer, so that one pointer has to stay valid and not a dozen.
        var texts = Array(url.utf8)
        texts += body
        for (name, value) in headers {
            texts += name.utf8
            texts += value.utf8
        }
        return texts.withUnsafeBufferPointer { texts in
            var start = 0
            func take(_ count: Int) -> fh_str {
                defer { start += count }
                return fh_str(UnsafeBufferPointer(rebasing: texts[start..<start + count]))
            }
            var request = fh_request()
            request.size = UInt32(MemoryLayout<fh_request>.size)
            request.method = method.rawValue
            request.timeout_ms = timeout.map { UInt32(clamping: $0.wholeMicroseconds / 1_000) } ?? 0
            request.generation = generation
            request.user = tag
            request.url = take(url.utf8.count)
            request.body = take(body.count)
            let fields = headers.map { fh_field(name: take($0.utf8.count), value: take($1.utf8.count)) }
            return fields.withUnsafeBufferPointer { fields in
                request.field_count = UInt32(fields.count)
                request.fields = fields.baseAddress
                return call(&request)
            }
        }
    }
}
