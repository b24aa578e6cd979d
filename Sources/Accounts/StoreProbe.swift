import GRDB

/// A connection of its own on which `PRAGMA data_version` tells whether anybody else wrote.
///
/// The number changes for writes of *other* connections only, and it is a property of the connection that asks: a pool's
/// readers would each have their own.
struct StoreProbe {
    private let queue: DatabaseQueue

    init(path: String) throws {
        // No waiting: the next look is half a second away.
        queue = try DatabaseQueue(path: path, configuration: AccountStore.configuration(busySeconds: 0))
    }

    func close() { try? queue.close() }

    /// Nil when nothing was written since `version` was read.
    func snapshot(since version: Int64?) async throws -> (version: Int64, snapshot: StoreSnapshot)? {
        // The number first: what is written in between shows again at the next call.
        let current = try await queue.writeWithoutTransaction {
            try Int64.fetchOne($0, sql: "PRAGMA data_version") ?? 0
        }
        guard current != version else { return nil }
        return (current, try await queue.read { try StoreSnapshot($0) })
    }

    /// The same without waiting for anybody, for start-up.
    func firstSnapshot() throws -> (version: Int64, snapshot: StoreSnapshot) {
        let version = try queue.inDatabase { try Int64.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
        return (version, try queue.read { try StoreSnapshot($0) })
    }
}
