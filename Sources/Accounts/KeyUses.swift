import Dispatch
import GRDB
import Synchronization

/// When keys were used last, on the way to the file: gathered, so that a thousand clients cost one write, and a key is written
/// once a minute at most.
struct KeyUses {
    /// Seconds between two writes for one key.
    static let interval: Int64 = 60

    /// Seconds since 1970 by key.
    private var pending: [Int64: Int64] = [:]
    private var written: [Int64: Int64] = [:]
    private var isScheduled = false

    /// - Returns: whether a write has to be scheduled.
    mutating func note(_ key: Int64, at time: Int64) -> Bool {
        // A clock that was set back must not silence a key for long.
        if let last = written[key], abs(time - last) < Self.interval { return false }
        written[key] = time
        pending[key] = time
        defer { isScheduled = true }
        return !isScheduled
    }

    /// What is to be written now.
    mutating func take() -> [Int64: Int64] {
        defer {
            pending = [:]
            isScheduled = false
        }
        return pending
    }

    /// It could not be written: it goes with the next.
    mutating func putBack(_ uses: [Int64: Int64]) { pending.merge(uses) { newer, _ in newer } }
}

extension AccountStore {
    /// Remembers that a client came in with a key. Never fails and never waits.
    func noteUse(of key: Int64) {
        let time = now()
        guard uses.withLock({ $0.note(key, at: time) }) else { return }
        lane.asyncAfter(deadline: .now() + .seconds(1)) { [weak self] in self?.writeUses() }
    }

    /// Writes what was noted; for tests.
    func flushUses() async { try? await onLane { $0.writeUses() } }

    /// On the lane. Best effort: a file that is away, locked or full is no reason to bother anybody with this.
    func writeUses() {
        let due = uses.withLock { $0.take() }
        guard !due.isEmpty, isFileInPlace, let queue = try? connection() else { return }
        do {
            try queue.writeWithoutTransaction { db in
                // Not behind somebody's lock: look-ups wait on this lane.
                try db.execute(sql: "PRAGMA busy_timeout = 0")
                defer { try? db.execute(sql: "PRAGMA busy_timeout = 5000") }
                try db.inTransaction {
                    for (key, time) in due {
                        try db.execute(
                            sql: "UPDATE api_keys SET last_used_at = ? WHERE id = ? AND coalesce(last_used_at, 0) < ?",
                            arguments: [time, key, time])
                    }
                    return .commit
                }
                _ = try? db.checkpoint(.truncate)
            }
        } catch {
            uses.withLock { $0.putBack(due) }
        }
    }
}
