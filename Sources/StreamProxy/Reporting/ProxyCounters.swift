import Synchronization

/// What the proxy has done so far. Any thread; every value only says what was true a moment ago.
public final class ProxyCounters: Sendable {
    /// Why a client was cut off for what it sent.
    public enum Violation: Int, Sendable, CaseIterable {
        case handshake, unmasked, reservedBits, opcode, control, fragmentation, length, closePayload, text, deflate,
            tooBig
    }

    let clients = Counter()
    let authenticated = Counter()
    let routes = Counter()
    let messagesIn = Counter()
    let messagesOut = Counter()
    let bytesOut = Counter()
    let conflated = Counter()
    let slowNotices = Counter()
    let slowClosed = Counter()
    let authFailures = Counter()
    let badRequests = Counter()
    let addressesLimited = Counter()
    let unauthenticatedLimited = Counter()
    let userConnectionsLimited = Counter()
    let authenticationsLimited = Counter()
    let requestsLimited = Counter()
    let subscriptionsLimited = Counter()
    let instrumentsLimited = Counter()
    let originsRefused = Counter()
    let tlsFailures = Counter()
    let certificateLoads = Counter()
    let windows = Counter()
    let windowsDeclined = Counter()
    let acceptPauses = Counter()
    private let windowBytes = Counter()
    // An array cannot hold atomics, and violations are rare.
    private let violations = Mutex([Int](repeating: 0, count: Violation.allCases.count))

    public init() {}

    /// Messages that were handed to sockets or gave way to newer ones: what a benchmark waits for.
    public var settled: Int { messagesOut.value + conflated.value }

    func count(_ violation: Violation) { violations.withLock { $0[violation.rawValue] += 1 } }

    /// Reserves memory for what a client's compressed messages may refer back to.
    /// - Returns: Whether there is room; then ``giveBack(window:)`` is called when the client is gone.
    func reserve(window: Int, limit: Int) -> Bool {
        windowBytes.add(window)
        guard windowBytes.value <= limit else {
            windowBytes.add(-window)
            windowsDeclined.add()
            return false
        }
        windows.add()
        return true
    }

    func giveBack(window: Int) {
        guard window > 0 else { return }
        windowBytes.add(-window)
        windows.add(-1)
    }

    /// All values at one moment, for the operations room.
    public struct Snapshot: Sendable {
        /// WebSocket connections, now.
        public var clients = 0
        /// Those of them that have shown a valid key.
        public var authenticated = 0
        /// (Symbol, exchange, mode) that somebody is subscribed to, now; each counts once a session.
        public var routes = 0
        public var messagesIn = 0
        /// Frames handed to sockets.
        public var messagesOut = 0
        public var bytesOut = 0
        /// Market data that a slow client did not get because something newer came.
        public var conflated = 0
        /// Times that a client was told that it gets the newest values only.
        public var slowNotices = 0
        /// Clients cut off for not reading.
        public var slowClosed = 0
        /// Refused keys.
        public var authFailures = 0
        /// Requests answered with an error frame.
        public var badRequests = 0
        /// Connections refused because their address had as many as it may.
        public var addressesLimited = 0
        /// Connections refused because too many without a key were there.
        public var unauthenticatedLimited = 0
        /// Clients sent away because their user had as many connections as it may.
        public var userConnectionsLimited = 0
        /// Keys that were not looked at, because too many from their address were wrong.
        public var authenticationsLimited = 0
        /// Requests refused because the client sent too many a second.
        public var requestsLimited = 0
        /// Subscriptions refused because the client asked for too many instruments a second.
        public var subscriptionsLimited = 0
        /// Subscriptions refused because the client would hold too many instruments.
        public var instrumentsLimited = 0
        /// Web pages sent away because of where they are from.
        public var originsRefused = 0
        /// Connections whose TLS handshake failed.
        public var tlsFailures = 0
        /// Times that the TLS certificate was read, the first included.
        public var certificateLoads = 0
        /// Clients whose compressed messages refer back to earlier ones, now; for each there is a window in memory.
        public var windows = 0
        /// Clients that were told to compress each message by itself, because too many had a window.
        public var windowsDeclined = 0
        /// Times that accepting paused because there were no descriptors left.
        public var acceptPauses = 0
        public var protocolErrors: [Violation: Int] = [:]
    }

    public func snapshot() -> Snapshot {
        var result = Snapshot()
        result.clients = clients.value
        result.authenticated = authenticated.value
        result.routes = routes.value
        result.messagesIn = messagesIn.value
        result.messagesOut = messagesOut.value
        result.bytesOut = bytesOut.value
        result.conflated = conflated.value
        result.slowNotices = slowNotices.value
        result.slowClosed = slowClosed.value
        result.authFailures = authFailures.value
        result.badRequests = badRequests.value
        result.addressesLimited = addressesLimited.value
        result.unauthenticatedLimited = unauthenticatedLimited.value
        result.userConnectionsLimited = userConnectionsLimited.value
        result.authenticationsLimited = authenticationsLimited.value
        result.requestsLimited = requestsLimited.value
        result.subscriptionsLimited = subscriptionsLimited.value
        result.instrumentsLimited = instrumentsLimited.value
        result.originsRefused = originsRefused.value
        result.tlsFailures = tlsFailures.value
        result.certificateLoads = certificateLoads.value
        result.windows = windows.value
        result.windowsDeclined = windowsDeclined.value
        result.acceptPauses = acceptPauses.value
        let counts = violations.withLock { $0 }
        for violation in Violation.allCases where counts[violation.rawValue] > 0 {
            result.protocolErrors[violation] = counts[violation.rawValue]
        }
        return result
    }
}

/// One number that only grows, or goes up and down. Any thread.
struct Counter: ~Copyable, Sendable {
    private let number = Atomic<Int>(0)

    func add(_ count: Int = 1) { number.wrappingAdd(count, ordering: .relaxed) }

    var value: Int { number.load(ordering: .relaxed) }
}
