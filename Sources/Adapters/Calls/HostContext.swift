import CFeedhostABI
import Logging
import MarketData
import NIOCore
import Secrets
import Synchronization
import Transport

/// What `fh_host_ctx` points to: the host's side of one adapter instance.
///
/// `@unchecked Sendable`: the adapter calls `[any]` functions from every thread. Everything they touch is immutable, atomic
/// or behind a lock; the feed is used by one thread at a time by contract; the lane (of the superclass) is set before the
/// adapter can call, and used on its event loop alone.
package final class HostContext: TransportContext, @unchecked Sendable {
    package let feed: any TickSink
    package let logger: Logger
    let counters: AdapterCounters
    /// Where reports of the adapter go; called on any thread.
    let report: @Sendable (InstanceReport) -> Void
    /// What is taken out of the adapter's texts.
    package let concealment: Concealment
    private let settings: [String: StableText]
    private let tokens = Mutex<[BrokerToken: UInt32]>([:])
    private let logBudget = Mutex(LogBudget())
    private let lastTraffic = Atomic<UInt64>(0)

    private struct BrokerToken: Hashable {
        let exchange: String
        let token: String
    }

    package init(
        feed: any TickSink, settings: [String: Secret], concealment: Concealment, logger: Logger,
        counters: AdapterCounters,
        report: @escaping @Sendable (InstanceReport) -> Void
    ) {
        self.feed = feed
        self.settings = settings.mapValues { StableText($0) }
        self.concealment = concealment
        self.logger = logger
        self.counters = counters
        self.report = report
        super.init()
    }

    /// The pointer that the adapter is given.
    package var pointer: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

    /// The context behind a pointer that the adapter hands back.
    static func of(_ pointer: OpaquePointer?) -> HostContext? {
        guard let pointer else { return nil }
        return Unmanaged<HostContext>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
    }

    func setting(_ name: String) -> fh_str { settings[name]?.str ?? fh_str(ptr: nil, len: 0) }

    package func register(exchange: String, token: String, handle: UInt32) {
        guard !token.isEmpty else { return }
        tokens.withLock { $0[BrokerToken(exchange: exchange, token: token)] = handle }
    }

    /// The broker no longer sends what it calls by that token, unless the token is another instrument's by now.
    package func forget(exchange: String, token: String, handle: UInt32) {
        let key = BrokerToken(exchange: exchange, token: token)
        tokens.withLock { if $0[key] == handle { $0[key] = nil } }
    }

    package func forgetTokens() { tokens.withLock { $0.removeAll() } }

    func find(exchange: String, token: String) -> UInt32 {
        tokens.withLock { $0[BrokerToken(exchange: exchange, token: token)] ?? 0 }
    }

    /// Notes that the broker sends, for the silence watchdog.
    func sawTraffic(_ now: UInt64) { lastTraffic.store(now, ordering: .relaxed) }

    /// ns since the Unix epoch.
    package var lastTrafficTime: UInt64 { lastTraffic.load(ordering: .relaxed) }

    /// A line of the adapter in the host's log. What exceeds the budget is counted and said later.
    func log(level: Int32, _ message: fh_str) { log(level: level) { message.line(without: $0) } }

    private func log(level: Int32, _ line: (Redaction) -> String) {
        guard let suppressed = logBudget.withLock({ $0.take(now: Uptime.now()) }) else {
            counters.suppressedLogs.wrappingAdd(1, ordering: .relaxed)
            return
        }
        let level = HostContext.levels[Int(clamping: max(0, min(level, 4)))]
        logger.log(
            level: level,
            "\(line(concealment.redaction))\(LogBudget.remark(suppressed))"
        )
    }

    // MARK: Calls into the adapter

    /// A call that takes longer holds up every session of its broker.
    static let deadline: UInt64 = 250_000_000

    override package func willCall(_ name: StaticString) {
        counters.callStarted.store(Uptime.now(), ordering: .relaxed)
    }

    override package func didCall(_ name: StaticString) {
        let taken = counters.timeInCall(now: Uptime.now())
        counters.callStarted.store(0, ordering: .relaxed)
        if taken > HostContext.deadline {
            counters.slowCalls.wrappingAdd(1, ordering: .relaxed)
            log(level: Int32(FH_LOG_WARNING)) { _ in "\(name) took \(taken / 1_000_000) ms; adapters have 250 ms" }
        }
        if feed.isCrowded, let lane, !lane.isPaused { relieve(lane) }
    }

    /// Stops reading from the broker until the publisher has caught up: a full ring would have to drop.
    private func relieve(_ lane: TransportLane) {
        lane.setPaused(true)
        lane.loop.scheduleTask(in: .milliseconds(1)) { [weak self] in
            guard let self, let lane = self.lane else { return }
            if feed.isCrowded { relieve(lane) } else { lane.setPaused(false) }
        }
    }

    /// True on a thread of the adapter's own, which may be held; the lane may not: all sessions of the broker are on it, and it
    /// stops reading instead (``relieve(_:)``).
    var isOnOwnThread: Bool { lane == nil }

    override package func transportTrouble(_ message: String) {
        log(level: Int32(FH_LOG_WARNING)) { $0.clean(message) }
    }

    private static let levels: [Logger.Level] = [.trace, .debug, .info, .warning, .error]
}
