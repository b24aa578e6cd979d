import CFeedhostABI
import NIOCore
import NIOSSL

/// One adapter instance's sockets, requests and timers, and the order in which it is called. Confined to its event
/// loop.
///
/// Calls into the adapter are made one after another and never from inside one of its own calls to the host: an event
/// that comes up meanwhile waits until the event loop turns. After ``closeAll()`` no event arrives.
public final class TransportLane {
    /// Times in milliseconds, and what a test replaces.
    public struct Options: Sendable {
        /// `ws_ping_ms` of the adapter; nil = off.
        public var pingInterval: Int64?
        /// `ws_pong_timeout_ms` of the adapter.
        public var pongTimeout: Int64 = 10_000
        /// Nil trusts what the route trusts.
        public var tls: NIOSSLContext?
        public var route = OutboundRoute()
        public var clock = LaneClock()

        public init() {}
    }

    /// What one instance may have at once: an adapter that leaks is stopped here and not by the kernel.
    enum Quota {
        static let sockets = 64
        static let requests = 64
        static let timers = 1_024
    }

    public let loop: any EventLoop
    /// For sockets that are opened from now on.
    public var options: Options

    /// Text and binary messages that were received.
    public private(set) var frames: UInt64 = 0
    /// Messages and answers to requests: changes with everything that the broker has sent of itself, pongs excepted.
    public private(set) var received: UInt64 = 0
    /// Bytes of these messages.
    public private(set) var bytes: UInt64 = 0
    /// When the broker was last heard, a pong or an answer included: ns since the Unix epoch, UTC; 0 = never.
    public private(set) var lastActivity: UInt64 = 0
    /// True while events are held back; see ``setPaused(_:)``.
    public private(set) var isPaused = false

    /// How the last socket ended, until somebody takes it.
    private var end: SocketEnd?
    /// Sockets that have been open.
    var opened: Set<fh_id> = []

    private weak var context: TransportContext?
    package private(set) var instance: OpaquePointer?
    private(set) var events = LaneEvents()
    var sockets: [fh_id: WebSocketConnection] = [:]
    var requests: [fh_id: HTTPFetch] = [:]
    var timers: [fh_id: LaneTimer] = [:]
    /// Calls that are under way, into the adapter or from it.
    private var depth = 0
    private var waiting = CircularBuffer<() -> Void>()
    private var isDrainScheduled = false
    package private(set) var isStopping = false

    /// - Parameter context: Told of every call; held weakly.
    public init(loop: any EventLoop, context: TransportContext?, options: Options = Options()) {
        loop.preconditionInEventLoop()
        self.loop = loop
        self.context = context
        self.options = options
    }

    /// From now on the adapter may use the transport.
    /// - Parameter events: The adapter's half; nil when it does not use the transport.
    public func attach(instance: OpaquePointer, events: UnsafePointer<fh_transport_events>?) {
        self.instance = instance
        self.events = events.map { LaneEvents($0) } ?? LaneEvents()
    }

    /// Ends everything for good: the instance is gone.
    public func detach() {
        isStopping = true
        closeAll()
        instance = nil
        events = LaneEvents()
    }

    /// Closes all sockets and forgets all requests and timers. No event of theirs arrives any more.
    public func closeAll() {
        waiting.removeAll()
        opened.removeAll()
        let (sockets, requests, timers) = (sockets, requests, timers)
        self.sockets = [:]
        self.requests = [:]
        self.timers = [:]
        for socket in sockets.values { socket.close(code: 1_000) }
        for request in requests.values { request.cancel() }
        for timer in timers.values { timer.cancel() }
    }

    /// Makes a call into the adapter. Everything that calls it goes through here.
    /// - Parameter name: Of the function, for the deadline watch and the log.
    @discardableResult
    public func enter<Result>(_ name: StaticString, _ body: () throws -> Result) rethrows -> Result {
        depth += 1
        context?.willCall(name)
        defer {
            context?.didCall(name)
            leave()
        }
        return try body()
    }

    /// Back-pressure: stops reading from all sockets of this instance, and resumes.
    public func setPaused(_ paused: Bool) {
        isPaused = paused
        for socket in sockets.values { socket.setPaused(paused) }
    }

    /// Runs a function of the host on behalf of the adapter: events wait meanwhile.
    package func serve<Result>(_ body: () -> Result) -> Result {
        depth += 1
        defer { leave() }
        return body()
    }

    /// Delivers an event now, or soon after the call that is under way. `event` checks that its id still lives.
    func deliver(_ event: @escaping () -> Void) {
        guard depth > 0 || !waiting.isEmpty else { return event() }
        waiting.append(event)
        scheduleDrain()
    }

    /// True when an event may be delivered without waiting.
    var isFree: Bool { depth == 0 && waiting.isEmpty }

    package func trouble(_ message: String) { context?.transportTrouble(message) }

    // MARK: How sockets end

    /// What the transport knows of the last socket's end. Who takes it says it; nobody else does.
    package func takeEnd() -> SocketEnd? {
        defer { end = nil }
        return end
    }

    /// Kept for who is told of the end by the adapter, and comes for it in this turn of the loop.
    func keep(_ end: SocketEnd) {
        self.end = end
    }

    /// Says what nobody has taken; behind everything that the adapter has caused when it was told.
    func sayUntakenEnd(of id: fh_id) {
        loop.assumeIsolated().execute { [self] in
            guard end?.id == id, let end = takeEnd(), end.failure != nil else { return }
            trouble(end.sentence)
        }
    }

    func heard(frames: UInt64 = 0, answers: UInt64 = 0, bytes: Int = 0, at time: UInt64) {
        self.frames &+= frames
        received &+= frames &+ answers
        self.bytes &+= UInt64(bytes)
        lastActivity = max(lastActivity, time)
    }

    private func leave() {
        depth -= 1
        if depth == 0, !waiting.isEmpty { scheduleDrain() }
    }

    private func scheduleDrain() {
        guard !isDrainScheduled else { return }
        isDrainScheduled = true
        loop.assumeIsolated().execute { [self] in drain() }
    }

    private func drain() {
        isDrainScheduled = false
        // Only a test's event loop turns inside of a call; then leave() asks for another turn.
        guard depth == 0 else { return }
        // What comes up meanwhile queues behind, and closeAll() empties the queue.
        while let event = waiting.popFirst() { event() }
    }
}
