import CFeedhostABI
import Logging
import MarketData
import Secrets
import Synchronization

/// What `fh_auth_ctx` points to: where a provider's changes and log lines go. Never freed, because the plugin never goes:
/// it may call with this pointer as long as the process lives.
final class AuthContext: Sendable {
    /// Changes that nobody has read yet; each is a few words.
    static let mostWaiting = 10_000

    let changes: AsyncStream<AccountChange>
    private let continuation: AsyncStream<AccountChange>.Continuation
    private let logger: Logger
    private let budget = Mutex(LogBudget())
    private let lastLine = Mutex("")
    /// What is taken out of the provider's texts.
    let concealment: Concealment
    private let isStopped = Atomic(false)

    init(_ concealment: Concealment, logger: Logger) {
        self.concealment = concealment
        self.logger = logger
        (changes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.mostWaiting))
    }

    /// The pointer that the provider is given; keeps this object for good.
    func lend() -> OpaquePointer { OpaquePointer(Unmanaged.passRetained(self).toOpaque()) }

    fileprivate static func of(_ pointer: OpaquePointer?) -> AuthContext? {
        guard let pointer else { return nil }
        return Unmanaged<AuthContext>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        continuation.finish()
    }

    /// What the provider has written last, for the error when it does not start.
    var said: String { lastLine.withLock { $0 } }

    fileprivate func log(level: Int32, _ message: fh_str) {
        guard let suppressed = budget.withLock({ $0.take(now: Uptime.now()) }) else { return }
        log(level: level, message.line(without: concealment.redaction), suppressed)
    }

    /// A line of the host about the provider.
    func log(level: Int32, _ line: String) {
        guard let suppressed = budget.withLock({ $0.take(now: Uptime.now()) }) else { return }
        log(level: level, concealment.redaction.clean(line), suppressed)
    }

    private func log(level: Int32, _ line: String, _ suppressed: Int) {
        lastLine.withLock { $0 = line }
        let levels: [Logger.Level] = [.trace, .debug, .info, .warning, .error]
        logger.log(
            level: levels[Int(max(0, min(level, 4)))],
            "\(line)\(LogBudget.remark(suppressed))")
    }

    fileprivate func changed(_ change: UnsafePointer<fh_account_change>) -> fh_status {
        guard let kind = AccountChange.Kind(change) else {
            log(level: Int32(FH_LOG_WARNING), "a change was told that makes no sense, and is ignored")
            return fh_status(FH_E_INVALID)
        }
        guard !isStopped.load(ordering: .relaxed) else { return fh_status(FH_E_STOPPING) }
        switch continuation.yield(AccountChange(kind)) {
        case .enqueued: return fh_status(FH_OK)
        case .dropped: return fh_status(FH_E_LIMIT)
        case .terminated: return fh_status(FH_E_STOPPING)
        @unknown default: return fh_status(FH_E_INTERNAL)
        }
    }

    // Built once, never changed, never freed: providers keep the pointer.
    nonisolated(unsafe) static let host: UnsafePointer<fh_auth_host> = {
        let table = UnsafeMutablePointer<fh_auth_host>.allocate(capacity: 1)
        table.initialize(
            to: fh_auth_host(
                size: UInt32(MemoryLayout<fh_auth_host>.size), reserved: 0, log: authLog, changed: authChanged))
        return UnsafePointer(table)
    }()
}

private func authLog(_ context: OpaquePointer?, _ level: Int32, _ message: fh_str) {
    AuthContext.of(context)?.log(level: level, message)
}

private func authChanged(_ context: OpaquePointer?, _ change: UnsafePointer<fh_account_change>?) -> fh_status {
    guard let context = AuthContext.of(context), let change else { return fh_status(FH_E_INVALID) }
    return context.changed(change)
}

extension AccountChange.Kind {
    /// Size of the table in ABI 1.0.
    private static let firstSize: UInt32 = 48

    fileprivate init?(_ pointer: UnsafePointer<fh_account_change>) {
        guard pointer.pointee.size >= Self.firstSize else { return nil }
        let change = pointer.pointee
        switch Int(change.kind) {
        case FH_CHANGE_KEY_REVOKED, FH_CHANGE_KEY:
            guard let id = Int64(exactly: change.key_id), id != 0 else { return nil }
            self = Int(change.kind) == FH_CHANGE_KEY_REVOKED ? .keyRevoked(keyID: id) : .keyChanged(keyID: id)
        case FH_CHANGE_USER:
            guard let user = change.user.userName else { return nil }
            self = .userChanged(user: user)
        case FH_CHANGE_CREDENTIALS, FH_CHANGE_CREDENTIALS_REVOKED:
            guard let user = change.user.userName, let broker = change.broker.brokerKey else { return nil }
            self =
                Int(change.kind) == FH_CHANGE_CREDENTIALS
                ? .credentialsChanged(user: user, broker: broker) : .credentialsRevoked(user: user, broker: broker)
        default: return nil
        }
    }
}
