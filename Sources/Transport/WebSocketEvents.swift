import CFeedhostABI
import NIOCore

/// What a connection tells its owner, always on the event loop.
public struct WebSocketEvents {
    /// The upgrade succeeded.
    public var opened: (HTTPAnswer) -> Void
    /// A whole message, or a pong. The time is ns since the Unix epoch, UTC.
    public var received: (WebSocketMessageKind, ByteBuffer, UInt64) -> Void
    /// The last event.
    public var closed: (WebSocketClose) -> Void
    /// A sentence for the log: a way that did not work, while another is tried.
    public var noticed: (String) -> Void = { _ in }

    public init(
        opened: @escaping (HTTPAnswer) -> Void,
        received: @escaping (WebSocketMessageKind, ByteBuffer, UInt64) -> Void,
        closed: @escaping (WebSocketClose) -> Void
    ) {
        self.opened = opened
        self.received = received
        self.closed = closed
    }
}

/// Kinds of message (RFC 6455 section 5.2), with the numbers of the ABI.
public enum WebSocketMessageKind: UInt32, Sendable, Hashable {
    case text = 1
    case binary = 2
    case ping = 9
    case pong = 10
}

/// How a connection ended.
public struct WebSocketClose: Sendable {
    /// The WebSocket close code; 1006 without one.
    public let code: UInt16
    /// What the server said with it.
    public let reason: String
    /// The server's answer when it refused the upgrade.
    public let refusal: HTTPAnswer?
    /// What went wrong on this side of the wire; nil when the server closed in good order or refused.
    public let failure: TransportFailure?

    init(code: UInt16 = 1_006, reason: String = "", refusal: HTTPAnswer? = nil, failure: TransportFailure? = nil) {
        self.code = code
        self.reason = reason
        self.refusal = refusal
        self.failure = failure
    }
}
