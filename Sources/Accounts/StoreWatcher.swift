import Logging
import MarketData

/// Sees what other processes, or this one, change in a store, and tells it as ``AccountChange``s.
///
/// It polls: SQLite has no message for writes of another process, and `PRAGMA data_version` costs microseconds. A file that
/// is locked, gone or replaced is said once and looked at again.
///
/// ```swift
/// let watcher = try StoreWatcher(store: store, logger: logger)
/// Task { await watcher.run() }
/// for await change in watcher.changes { … }
/// ```
public actor StoreWatcher {
    /// Every change since the watcher was made; ends when ``run(every:clock:)`` does. One reader.
    public nonisolated let changes: AsyncStream<AccountChange>
    /// What is wrong with the file at the moment, nil when all is well.
    public private(set) var trouble: String?
    /// What keeps credentials from being decrypted, nil when the master key fits.
    public private(set) var keyTrouble: String?
    /// How many times trouble was reported.
    public private(set) var reports = 0

    private let store: AccountStore
    private let logger: Logger
    private let continuation: AsyncStream<AccountChange>.Continuation
    private var probe: StoreProbe?
    private var identity: StoreFile.Identity?
    private var version: Int64?
    private var known: StoreSnapshot
    private var looking = false
    private var hasLookedAtKey = false
    private var keyStamp: MasterKeyFile.Stamp?
    private var busyLooks = 0
    /// A lock shorter than this many looks is nobody's business.
    private static let patience = 4

    /// Takes the present state as known.
    /// - Throws: ``AccountStoreError``.
    public init(store: AccountStore, logger: Logger) throws {
        self.store = store
        self.logger = logger
        (changes, continuation) = AsyncStream.makeStream()
        identity = StoreFile(path: store.path).identity
        do {
            let probe = try StoreProbe(path: store.path)
            (version, known) = try probe.firstSnapshot()
            self.probe = probe
        } catch {
            throw AccountStoreError.translating(error, path: store.path)
        }
    }

    /// Looks until the task is cancelled. Changes are seen within the interval.
    public func run(
        every interval: Duration = .milliseconds(500), clock: some Clock<Duration> = ContinuousClock()
    ) async {
        await PollLoop.run(every: interval, clock: clock) { await look() }
        stop()
    }

    /// Ends ``changes``.
    func stop() { continuation.finish() }

    /// Looks once, now.
    public func look() async {
        // A look waits for the database; a second one meanwhile would compare with the same old state.
        guard !looking else { return }
        looking = true
        defer { looking = false }
        guard let found = StoreFile(path: store.path).identity else {
            return report(
                "The account store \(store.path) is gone. Going on with what was read; put it back or restart.")
        }
        do {
            if found != identity || probe == nil { try await adopt() }
            let snapshot = try await probe?.snapshot(since: version)
            busyLooks = 0
            if let trouble {
                logger.notice("The account store is back", metadata: ["was": "\(trouble)"])
                self.trouble = nil
            }
            if let (version, latest) = snapshot {
                for change in known.changes(to: latest) { continuation.yield(change) }
                self.version = version
                known = latest
            }
            await lookAtKey(storeHasChanged: snapshot != nil)
        } catch {
            // A host that ends is no trouble of the store.
            guard !Task.isCancelled else { return }
            failed(error)
        }
    }

    /// Says once that credentials cannot be decrypted, and when they can be, has the sessions connect with them.
    private func lookAtKey(storeHasChanged: Bool) async {
        let stamp = store.key.stamp
        guard storeHasChanged || stamp != keyStamp || keyTrouble != nil || !hasLookedAtKey else { return }
        let before = keyTrouble
        let found = await store.keyTrouble()
        guard !Task.isCancelled else { return }
        keyTrouble = found
        (keyStamp, hasLookedAtKey) = (stamp, true)
        if let keyTrouble, keyTrouble != before { logger.warning("\(keyTrouble)") }
        guard before != nil, keyTrouble == nil else { return }
        logger.notice("The credentials in the account store can be decrypted again")
        for owner in known.credentials.keys.sorted() {
            continuation.yield(AccountChange(.credentialsChanged(user: owner.user, broker: owner.broker)))
        }
    }

    /// Goes over to the file that is there now. The order matters: see ``AccountStore/reopenIfReplaced()``.
    private func adopt() async throws {
        probe?.close()
        probe = nil
        version = nil  // Of the connection, not of the file.
        let found = StoreFile(path: store.path).identity
        if try await store.reopenIfReplaced() {
            logger.notice("The account store was replaced; reading the new file")
            // Versions of two files cannot be compared: every credential counts as changed.
            known.credentials = known.credentials.mapValues { _ in -1 }
        }
        probe = try StoreProbe(path: store.path)
        identity = found
    }

    func failed(_ error: any Error) {
        let error = AccountStoreError.translating(error, path: store.path)
        if (error as? AccountStoreError)?.code == .busy {
            busyLooks += 1
            guard busyLooks >= Self.patience else { return }
            return report(
                "The account store \(store.path) is locked by another program; changes are not seen until it lets go.")
        }
        report("\(error)")
    }

    private func report(_ sentence: String) {
        guard trouble != sentence else { return }
        trouble = sentence
        reports += 1
        logger.warning("\(sentence)")
    }
}
