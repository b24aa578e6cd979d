import CoreFoundation
import Dispatch
import Foundation
import GRDB
import Synchronization

/// OpenAlgo's database, read and never written. Any thread.
///
/// It is opened read-only: such a connection neither checkpoints the log nor changes the mode, and takes part in the log,
/// where today's token is (`immutable` would not see it). While OpenAlgo is down, SQLite has to make the files of the log beside
/// the database, which only OpenAlgo's own user may do.
final class OpenAlgoDatabase: Sendable {
    private struct State {
        var queue: DatabaseQueue?
        var identity: StoreFile.Identity?
        /// Rises with every connection, because `data_version` is a number of the connection.
        var connection = 0
    }

    /// What changes whenever anybody has written, or the file is another one.
    struct Version: Sendable, Hashable {
        let connection: Int
        let data: Int64
    }

    let path: String
    /// Every use of the connection, one after another and off event loops.
    private let lane: DispatchQueue
    private let state = Mutex(State())

    /// Opens nothing yet.
    init(path: String, label: String) {
        self.path = path
        lane = DispatchQueue(label: label, qos: .utility)
    }

    /// Closes the connection; the next use opens it again.
    func close() { lane.sync { drop() } }

    /// The number at this moment, in microseconds.
    func version() async throws -> Version {
        try await onLane { database in
            let queue = try database.open()
            // Outside a transaction: inside one it would be that of the transaction.
            let data = try queue.inDatabase { try Int64.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
            return Version(connection: database.state.withLock { $0.connection }, data: data)
        }
    }

    /// Runs `body` in one read transaction.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await onLane { try $0.open().read(body) }
    }

    private func onLane<Value: Sendable>(
        _ body: @escaping @Sendable (OpenAlgoDatabase) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            lane.async {
                continuation.resume(
                    with: Result {
                        do { return try body(self) } catch {
                            // A damaged connection must not stay.
                            if (error as? DatabaseError)?.resultCode != .SQLITE_BUSY { self.drop() }
                            throw OpenAlgoError.translating(error, path: self.path)
                        }
                    })
            }
        }
    }

    /// On the lane.
    private func open() throws -> DatabaseQueue {
        guard let found = StoreFile(path: path).identity else {
            drop()
            throw OpenAlgoError(
                .missing,
                "There is no OpenAlgo database at \(path). Start OpenAlgo once, or mend DATABASE_URL in its .env.")
        }
        let known = state.withLock { ($0.queue, $0.identity) }
        if let queue = known.0, known.1 == found { return queue }
        drop()
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(1)
        try checkOwner()
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.read { try OpenAlgoSnapshot.inspect($0, path: path) }
        state.withLock { state in
            state.queue = queue
            state.identity = found
            state.connection += 1
        }
        return queue
    }

    /// Whoever makes the files of the log owns them: OpenAlgo, as another user, could not write its own database any more. So
    /// those that are there are used, and they are made only if the database is ours. (Root's SQLite hands them over.)
    private func checkOwner() throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_uid != geteuid(), geteuid() != 0 else { return }
        for suffix in ["-wal", "-shm"] where access(path + suffix, F_OK) != 0 {
            throw DatabaseError(resultCode: .SQLITE_CANTOPEN, message: "there is no \(path)\(suffix)")
        }
    }

    /// On the lane.
    private func drop() {
        let old = state.withLock { state in
            defer { state.queue = nil }
            return state.queue
        }
        try? old?.close()
    }
}

extension OpenAlgoError {
    /// What SQLite said, in words that help. Anything that is not SQLite's stays as it is.
    static func translating(_ error: any Error, path: String) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        // Without the SQL and its arguments, which may hold what must not be shown.
        let reason = "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no explanation")"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return OpenAlgoError(.busy, "OpenAlgo's database \(path) is locked by another program.")
        case .SQLITE_NOTADB:
            return OpenAlgoError(.notOpenAlgo, "\(path) is no SQLite database. Mend DATABASE_URL in OpenAlgo's .env.")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            return OpenAlgoError(
                .unreadable,
                "OpenAlgo's database \(path) cannot be read by this user (\(reason)). Run feedhost as the user that runs OpenAlgo, "
                    + "or start OpenAlgo first; while it is down, only its own user can, who must be able to write the folder."
            )
        default:
            return OpenAlgoError(.unreadable, "OpenAlgo's database \(path) cannot be read (\(reason)).")
        }
    }
}
