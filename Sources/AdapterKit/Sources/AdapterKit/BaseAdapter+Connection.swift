import CFeedhostABI

/// Why a connection ended or was given up.
public struct DisconnectReason: RawRepresentable, Hashable, Sendable {
    /// The number as it crosses the C interface.
    public var rawValue: UInt32

    /// Wraps the number `rawValue`.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The host asked for it.
    public static let requested = DisconnectReason(rawValue: UInt32(FH_WHY_REQUESTED))
    /// The socket failed or closed.
    public static let network = DisconnectReason(rawValue: UInt32(FH_WHY_NETWORK))
    /// The token was good and is no longer.
    public static let authenticationExpired = DisconnectReason(rawValue: UInt32(FH_WHY_AUTH_EXPIRED))
    /// The credentials were refused.
    public static let authenticationRejected = DisconnectReason(rawValue: UInt32(FH_WHY_AUTH_REJECTED))
    /// Too many requests.
    public static let rateLimited = DisconnectReason(rawValue: UInt32(FH_WHY_RATE_LIMITED))
    /// Too many connections for this account.
    public static let connectionLimit = DisconnectReason(rawValue: UInt32(FH_WHY_CONNECTION_LIMIT))
    /// The broker sent what its protocol does not allow.
    public static let protocolViolation = DisconnectReason(rawValue: UInt32(FH_WHY_PROTOCOL))
    /// Another session of the same account took over.
    public static let replaced = DisconnectReason(rawValue: UInt32(FH_WHY_REPLACED))
    /// The broker is closed for maintenance.
    public static let maintenance = DisconnectReason(rawValue: UInt32(FH_WHY_MAINTENANCE))
}

// Telling the host how the connection stands. Each change is told once; after the end of a connection the kit closes
// what is left of its sockets, requests and timers, so that nothing of it reaches into the next one.
extension BaseAdapter {
    /// The socket is open, and the broker has not accepted us yet.
    public func authenticating() {
        guard state == .connecting else { return }
        state = .authenticating
        report(FH_CONN_AUTHENTICATING)
    }

    /// Subscriptions may be sent.
    public func ready() {
        guard state == .connecting || state == .authenticating else { return }
        state = .ready
        report(FH_CONN_READY)
    }

    /// The connection is lost; the host connects again after `retryAfter`, or after its own pause without it.
    public func disconnected(
        _ reason: DisconnectReason, message: String = "", retryAfter: Duration? = nil, brokerCode: Int32 = 0
    ) {
        end(FH_CONN_DISCONNECTED, reason, message, retryAfter, brokerCode)
    }

    /// The connection is given up until the user changes credentials or configuration.
    public func failed(_ reason: DisconnectReason, message: String = "", brokerCode: Int32 = 0) {
        end(FH_CONN_FAILED, reason, message, nil, brokerCode)
    }

    /// Reports a lost socket with the reason that its close code and the venue's refusal suggest.
    ///
    /// 429 and 418 are too many requests, anything else is the network, where the host adds itself what went wrong; the
    /// wait that `Retry-After` names is kept. No status is a verdict on credentials: proxies, CDNs and firewalls on the way
    /// answer 401 and 403 as well. An adapter that recognises its venue's own words reports
    /// ``DisconnectReason/authenticationRejected`` itself.
    public func lostConnection(code: UInt32, refusal: Response?, retryAfter: Duration? = nil) {
        guard let refusal, refusal.httpStatus != 0 || !refusal.status.isSuccess else {
            // 1006 is a code that nobody has sent: there was no close frame, or no connection, and the host knows why.
            let message = code == 1_006 ? "" : "the socket closed with code \(code)"
            disconnected(.network, message: message, retryAfter: retryAfter)
            return
        }
        let brokerCode = Int32(clamping: refusal.httpStatus)
        let wait = refusal.retryAfter ?? retryAfter
        switch (refusal.httpStatus, refusal.status) {
        case (0, .authentication):
            disconnected(.authenticationRejected, message: "the credentials are refused")
        case (429, _), (418, _), (0, .limit):
            disconnected(.rateLimited, message: refusal.summary, retryAfter: wait, brokerCode: brokerCode)
        default:
            disconnected(.network, message: refusal.summary, retryAfter: wait, brokerCode: brokerCode)
        }
    }

    private func end(
        _ change: Int, _ reason: DisconnectReason, _ message: String, _ retryAfter: Duration?, _ brokerCode: Int32
    ) {
        guard state != .idle else { return }
        state = .idle
        releaseEverything()
        let wait = retryAfter.map { UInt32(clamping: $0.wholeMicroseconds / 1_000) } ?? 0
        report(change, reason: reason.rawValue, retryAfter: wait, brokerCode: brokerCode, message: message)
    }

    func report(
        _ change: Int, reason: UInt32 = 0, retryAfter: UInt32 = 0, brokerCode: Int32 = 0, message: String = ""
    ) {
        message.withBorrowed { text in
            var event = fh_conn_event()
            event.size = UInt32(MemoryLayout<fh_conn_event>.size)
            event.state = UInt32(change)
            event.reason = reason
            event.retry_after_ms = retryAfter
            event.generation = generation
            event.broker_code = brokerCode
            event.message = text
            host.table.pointee.report_connection?(host.context, &event)
        }
    }

    /// Closes and forgets all that belongs to one connection.
    func releaseEverything() {
        for socket in sockets.keys.sorted() { transport?.pointee.close?(host.context, socket, 1_000) }
        for timer in timers.keys { transport?.pointee.cancel?(host.context, timer.rawValue) }
        for fetch in fetches { transport?.pointee.cancel?(host.context, fetch.rawValue) }
        sockets.removeAll()
        timers.removeAll()
        fetches.removeAll()
        heartbeats.removeAll()
        pending.removeAll()
        wantsOrders = false
    }
}
