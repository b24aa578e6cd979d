import Dispatch
import Foundation
import GRDB
import Synchronization

/// Users, API keys and broker credentials in one SQLite file. Any thread, any number of processes.
///
/// ```swift
/// let store = try AccountStore(path: "accounts.db")
/// try await store.addUser("alice", broker: "simulator")
/// let key = try await store.issueKey(user: "alice")   // shown once, stored as a digest
/// ```
public final class AccountStore: Sendable {
    private struct State {
        /// Nil when closed. Used on the lane only.
        var queue: DatabaseQueue?
        var identity: StoreFile.Identity?
    }

    /// Absolute path of the file.
    public let path: String
    /// What was noticed or mended when the file was opened; for the log.
    public let notices: [String]
    /// Where the key comes from that credentials are encrypted with.
    let key: MasterKeySource
    private let state: Mutex<State>
    let uses = Mutex(KeyUses())
    /// Every use of the connection and every change of it, one after another: GRDB crashes when a closed connection is used.
    let lane = DispatchQueue(label: "feedhost.accounts")
    /// Seconds since 1970; tests bring their own.
    let now: @Sendable () -> Int64

    /// Opens the store and brings its tables up to date.
    ///
    /// A key that is missing or wrong is no error here: users can come in without, and who needs a credential is told then.
    /// - Parameters:
    ///   - create: false refuses to make a missing file, so that a mistyped path is found out.
    ///   - key: What credentials are encrypted with; nil means ``MasterKeySource/beside(store:)``.
    /// - Throws: ``AccountStoreError``.
    public convenience init(path: String, create: Bool = true, key: MasterKeySource? = nil) throws {
        try self.init(path: path, create: create, key: key, now: { Int64(Date().timeIntervalSince1970) })
    }

    init(
        path: String, create: Bool, key: MasterKeySource? = nil, now: @escaping @Sendable () -> Int64
    ) throws {
        // Absolute from here on: the program's folder may change, and messages should say where.
        let path = URL(fileURLWithPath: path).standardizedFileURL.path
        let file = StoreFile(path: path)
        let made = try file.prepare(create: create)
        self.path = path
        self.now = now
        let key = key ?? .beside(store: path)
        self.key = key
        let (queue, mended) = try file.alone { try Self.open(path: path, key: key) }
        notices = made + mended
        state = Mutex(State(queue: queue, identity: file.identity))
    }

    /// Closes the connections; afterwards every call fails.
    public func close() throws {
        try lane.sync {
            writeUses()
            let queue = state.withLock { state in
                defer { state.queue = nil }
                return state.queue
            }
            try queue?.close()
        }
    }

    static func configuration(
        busySeconds: Double, journalMode: Configuration.JournalModeConfiguration = .default
    ) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = busySeconds > 0 ? .timeout(busySeconds) : .immediateError
        configuration.foreignKeysEnabled = true
        configuration.journalMode = journalMode
        return configuration
    }

    private static func open(path: String, key: MasterKeySource) throws -> (DatabaseQueue, notices: [String]) {
        do {
            // First without touching anything: the log mode is written to the file, also to a stranger's.
            let first = try DatabaseQueue(path: path, configuration: configuration(busySeconds: 5))
            try first.inDatabase { try AccountSchema.inspect($0, path: path) }
            try first.close()
            // One connection and not a pool: it serves thousands of look-ups a second, and it is open already when the file is
            // moved away, where a pool would fail to open its next reader.
            let queue = try DatabaseQueue(path: path, configuration: configuration(busySeconds: 5, journalMode: .wal))
            try queue.inDatabase { db in
                // What is removed is overwritten, and what is committed is on the disk: a rotated key must not come back with
                // the old values after a power cut. Writes are rare here.
                try db.execute(sql: "PRAGMA secure_delete = ON; PRAGMA synchronous = FULL")
            }
            try AccountSchema.migrator.migrate(queue)
            return (queue, try CredentialVault(path: path, key: key).mend(queue))
        } catch {
            throw AccountStoreError.translating(error, path: path)
        }
    }
}

extension AccountStore {
    /// Opens the file anew if another one has taken its place, and says whether that happened.
    ///
    /// The old connections are closed first: SQLite tells files apart by inode, but the `-shm` beside them by name, and two
    /// inodes sharing one would truncate it under each other.
    func reopenIfReplaced() async throws -> Bool {
        try await onLane { store in
            let file = StoreFile(path: store.path)
            let known = store.state.withLock { $0.identity }
            guard let found = file.identity, found != known else { return false }
            let old = store.state.withLock { state in
                // With the old file let go, its inode number may come back on a new one: nothing is known from here on.
                defer { state = State(queue: nil, identity: nil) }
                return state.queue
            }
            try? old?.close()
            _ = try file.prepare(create: false)
            let (queue, _) = try Self.open(path: store.path, key: store.key)
            // The numbers of keys mean others now.
            store.uses.withLock { $0 = KeyUses() }
            let identity = file.identity
            store.state.withLock { $0 = State(queue: queue, identity: identity) }
            return true
        }
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await onLane { try $0.connection().read(body) }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await onLane { store in
            let queue = try store.connection()
            let value = try queue.write(body)
            // Empties the log, so that the file alone is a whole copy: a backup by `cp` is right, and a log left behind by a
            // file that somebody replaced cannot be played into its successor. Best effort: a reader may be in the way.
            _ = try? queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
            return value
        }
    }

    /// Whether the open file is the one at the path. On the lane.
    var isFileInPlace: Bool {
        let known = state.withLock { $0.identity }
        return known != nil && StoreFile(path: path).identity == known
    }

    /// On the lane.
    func connection() throws -> DatabaseQueue {
        guard let queue = state.withLock({ $0.queue }) else {
            throw AccountStoreError(.database, "The account store \(path) is closed.")
        }
        return queue
    }

    /// Off the caller's thread: SQLite waits for disks and locks, event loops must not.
    func onLane<Value: Sendable>(_ body: @escaping @Sendable (AccountStore) throws -> Value) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            lane.async {
                continuation.resume(
                    with: Result {
                        do { return try body(self) } catch {
                            throw AccountStoreError.translating(error, path: self.path)
                        }
                    })
            }
        }
    }
}
