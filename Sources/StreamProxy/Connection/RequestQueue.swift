import NIOCore

/// Requests of one connection that wait for their turn. They are served one after another, so that replies come in
/// order, even when a client sends `authenticate` and `subscribe` back to back.
struct RequestQueue {
    /// A request is under way.
    var isBusy = false
    /// The loop over waiting requests runs; answering one must not start it again inside.
    var isServing = false
    /// Of the request under way, to be echoed.
    var requestID: JSONValue?
    /// The socket is left unread.
    var isPaused = false
    /// When the request under way has come.
    private(set) var arrival = NIODeadline.uptimeNanoseconds(0)
    private var waiting: [(bytes: ByteBuffer, arrival: NIODeadline)] = []
    private var bytes = 0

    var isEmpty: Bool { waiting.isEmpty }

    mutating func append(_ request: ByteBuffer, now: NIODeadline) {
        waiting.append((request, now))
        bytes += request.readableBytes
    }

    mutating func next() -> ByteBuffer? {
        guard !waiting.isEmpty else { return nil }
        let request: ByteBuffer
        (request, arrival) = waiting.removeFirst()
        bytes -= request.readableBytes
        if waiting.isEmpty { waiting = [] }
        return request
    }

    mutating func removeAll() {
        waiting = []
        bytes = 0
    }

    /// What is left for the answer. Never nothing: what the broker says at once is told, however long others took before.
    /// - Parameter time: That an answer may take.
    func timeLeft(of time: TimeAmount, now: NIODeadline) -> Duration {
        .nanoseconds(max(TimeAmount.milliseconds(20), arrival + time - now).nanoseconds)
    }

    /// Too many, or one message's worth of bytes: together they may not outgrow what a single request may.
    func isFull(_ configuration: ProxyConfiguration) -> Bool {
        waiting.count >= configuration.maxPendingRequests || bytes >= configuration.maxMessage
    }
}
