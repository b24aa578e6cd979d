/// Why a connection ends, as its close frame says it. The table of every code that the proxy sends.
///
/// Codes of our own tell a client what to do, as Centrifugo's do: **4000–4499 come back**, **4500–4999 stay away** (the
/// same attempt would end the same way). Codes below 4000 are RFC 6455's.
public struct CloseReason: Sendable, Hashable {
    public let code: UInt16
    /// At most 123 bytes, so that it fits a control frame.
    public let text: String

    init(_ code: UInt16, _ text: String) {
        self.code = code
        self.text = text
    }

    /// The host ends or restarts. OpenAlgo's Flask client counts every other code as a failure (drop-in.md section 2).
    public static let goingAway = CloseReason(1001, "server is shutting down")
    public static let protocolError = CloseReason(1002, "protocol error")
    public static let invalidData = CloseReason(1007, "invalid data")
    public static let tooBig = CloseReason(1009, "message too big")
    /// The text is that of Python's `websockets`, which clients show.
    public static let keepaliveTimeout = CloseReason(1011, "keepalive ping timeout")

    /// The user was put on another broker: authenticate again.
    public static let accountChanged = CloseReason(4001, "account changed, reconnect")
    /// It did not read for too long while something was waiting for it.
    public static let slowConsumer = CloseReason(4008, "slow consumer")
    /// No valid API key in time.
    public static let authTimeout = CloseReason(4401, "auth timeout")
    /// It went on sending requests in spite of being told that it sends too many.
    public static let tooManyRequests = CloseReason(4429, "too many requests")
    /// Its user has as many connections as it may.
    public static let tooManyConnections = CloseReason(4429, "too many connections of this user")
    /// Its API key is no longer valid: another one is needed.
    public static let keyRevoked = CloseReason(4503, "API key revoked")
    /// The time of its API key is over.
    public static let keyExpired = CloseReason(4503, "API key expired")
}
