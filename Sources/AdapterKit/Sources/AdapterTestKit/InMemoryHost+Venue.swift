import AdapterKit
import CFeedhostABI

/// A timer on the virtual clock.
struct VirtualTimer {
    var id: UInt64
    var tag: UInt64
    var due: UInt64
    var interval: UInt64
}

// What a test does in the venue's place, and the clock.
extension InMemoryHost {
    /// The newest socket that is neither closed nor gone.
    public var liveSocket: RecordedSocket? { sockets.last { $0.isLive } }

    /// Accepts the upgrade of a socket, the newest without `id`.
    public func acceptUpgrade(_ id: UInt64? = nil) {
        guard let index = index(of: id) else { return }
        sockets[index].isOpen = true
        var upgrade = fh_response()
        upgrade.size = UInt32(MemoryLayout<fh_response>.size)
        upgrade.http_status = 101
        events?.pointee.on_open?(instance, sockets[index].id, sockets[index].tag, &upgrade)
    }

    /// Sends a message through a socket, the newest without `id`.
    public func deliver(_ text: String, on id: UInt64? = nil) {
        deliver(Array(text.utf8), on: id)
    }

    /// Sends bytes through a socket, the newest without `id`, from memory that ends exactly behind them.
    public func deliver(_ bytes: [UInt8], opcode: Int = FH_WS_TEXT, on id: UInt64? = nil) {
        guard let index = index(of: id) else { return }
        // An allocation of its own, so that an address sanitizer sees the first byte read too many.
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, bytes.count))
        defer { copy.deallocate() }
        _ = copy.initialize(from: bytes)
        let text = fh_str(
            ptr: copy.baseAddress.map { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) },
            len: UInt64(bytes.count))
        events?.pointee.on_frame?(instance, sockets[index].id, sockets[index].tag, UInt32(opcode), text, now)
    }

    /// Ends a socket from the venue's side, with an HTTP answer if the upgrade was refused.
    public func drop(
        _ id: UInt64? = nil, code: UInt32 = 1_006, httpStatus: Int32 = 0, headers: [String: String] = [:],
        body: String = ""
    ) {
        guard let index = index(of: id) else { return }
        sockets[index].isGone = true
        guard httpStatus != 0 else {
            events?.pointee.on_closed?(instance, sockets[index].id, sockets[index].tag, code, nil)
            return
        }
        var memory = BorrowedTexts()
        let fields = headers.map { fh_field(name: memory.lend($0.key), value: memory.lend($0.value)) }
        fields.withUnsafeBufferPointer { fields in
            var refusal = fh_response()
            refusal.size = UInt32(MemoryLayout<fh_response>.size)
            refusal.http_status = httpStatus
            refusal.body = memory.lend(body)
            refusal.fields = fields.baseAddress
            refusal.field_count = UInt32(fields.count)
            events?.pointee.on_closed?(instance, sockets[index].id, sockets[index].tag, code, &refusal)
        }
        memory.release()
    }

    /// Answers an HTTP request.
    public func answer(_ fetch: UInt64, httpStatus: Int32 = 200, body: String = "") {
        guard let recorded = fetches.first(where: { $0.id == fetch }) else { return }
        var memory = BorrowedTexts()
        var response = fh_response()
        response.size = UInt32(MemoryLayout<fh_response>.size)
        response.http_status = httpStatus
        response.body = memory.lend(body)
        events?.pointee.on_fetched?(instance, fetch, recorded.tag, &response)
        memory.release()
    }

    /// Moves the clock on and runs the timers that fall due, each at its own time, in order.
    public func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let end = now + UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
        while let next = timers.values.filter({ $0.due <= end }).min(by: { ($0.due, $0.id) < ($1.due, $1.id) }) {
            now = max(now, next.due)
            fire(next)
        }
        now = end
    }

    /// Moves the clock on as if the process had been asleep: timers that fall due run once, at the end.
    public func stall(for duration: Duration) {
        let (seconds, attoseconds) = duration.components
        now += UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
        for timer in timers.values.filter({ $0.due <= now }).sorted(by: { ($0.due, $0.id) < ($1.due, $1.id) }) {
            fire(timer)
        }
    }

    /// How many timers are running.
    public var timerCount: Int { timers.count }

    private func fire(_ timer: VirtualTimer) {
        if timer.interval == 0 {
            timers[timer.id] = nil
        } else {
            timers[timer.id]?.due = now + timer.interval
        }
        events?.pointee.on_timer?(instance, timer.id, timer.tag, now)
    }

    private func index(of id: UInt64?) -> Int? {
        guard let id else { return sockets.lastIndex { $0.isLive } }
        return sockets.firstIndex { $0.id == id }
    }
}
