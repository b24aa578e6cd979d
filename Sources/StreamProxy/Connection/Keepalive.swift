import NIOCore

/// One client's pings, in 24 bytes: deadlines that the shard's sweep looks at.
///
/// As in Python's `websockets`, only the pong counts, not other traffic.
struct Keepalive {
    enum Verdict { case nothing, ping(ByteBuffer), timeout }

    /// When the next ping is due, or the last one went out.
    private var mark: NIODeadline
    private var isWaiting = false
    private var sequence: UInt32 = 0
    /// When a client without a valid key is cut.
    let authDeadline: NIODeadline

    init(now: NIODeadline, _ configuration: ProxyConfiguration) {
        mark = now + configuration.pingInterval
        authDeadline = now + configuration.authGrace
    }

    /// - Parameter isExcused: The ping, or its pong, may be stuck behind what we ourselves hold back: then time does not
    ///   count. (Whoever takes nothing at all is cut by the slow-consumer rule.)
    mutating func check(_ now: NIODeadline, isExcused: Bool, timeout: TimeAmount) -> Verdict {
        if isWaiting {
            if isExcused { mark = now }
            return now >= mark + timeout ? .timeout : .nothing
        }
        guard now >= mark else { return .nothing }
        sequence &+= 1
        isWaiting = true
        mark = now
        return .ping(ByteBuffer(integer: sequence))
    }

    mutating func receivedPong(_ payload: ByteBuffer, now: NIODeadline, _ configuration: ProxyConfiguration) {
        // Unsolicited pongs are allowed, and mean nothing.
        guard isWaiting, payload == ByteBuffer(integer: sequence) else { return }
        isWaiting = false
        mark = now + configuration.pingInterval
    }
}
