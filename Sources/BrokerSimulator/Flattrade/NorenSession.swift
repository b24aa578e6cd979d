import NIOCore

/// What the venue remembers of a connection.
final class NorenSession {
    enum Standing {
        /// The first message is still to come.
        case new
        case accepted(token: String)
        /// The socket stays open, and nothing is answered any more.
        case refused
    }

    var standing = Standing.new
    /// Thrown out, and about to be closed.
    var isEvicted = false
    var wantsOrders = false
    var wantsPositions = false
    /// Of a heartbeat or a ping.
    var lastHeartbeat: NIODeadline
    /// What the client knows, from which deltas are made.
    var known: [Subscription: NorenImage] = [:]

    init(_ now: NIODeadline) { lastHeartbeat = now }

    var token: String? {
        if case .accepted(let token) = standing { token } else { nil }
    }
}
