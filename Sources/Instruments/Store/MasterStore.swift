import Dispatch
import Foundation
import GRDB
import MarketData

/// The instrument masters of all brokers in one SQLite file beside the account store. Any thread, any number of processes.
///
/// Everything in it can be downloaded again: a damaged file is deleted, not mended.
public final class MasterStore: Sendable {
    /// Absolute path of the file.
    public let path: String
    /// Reads, one after another and off event loops.
    private let lane = DispatchQueue(label: "feedhost.instruments.store")
    private let queue: DatabaseQueue
    /// Seconds since 1970; tests bring their own.
    private let now: @Sendable () -> Int64

    /// The file that belongs to an account store: `instruments.sqlite` in the same folder.
    public static func path(beside accountStore: String) -> String {
        URL(fileURLWithPath: accountStore).standardizedFileURL.deletingLastPathComponent()
            .appendingPathComponent("instruments.sqlite").path
    }

    /// Opens the store, makes it if it is missing, and brings its tables up to date. Blocks.
    /// - Throws: ``MasterError``.
    public convenience init(path: String) throws {
        try self.init(path: path) { Int64(Date().timeIntervalSince1970) }
    }

    init(path: String, now: @escaping @Sendable () -> Int64) throws {
        self.path = path
        self.now = now
        try StoreFolder.prepare(path)
        queue = try Self.open(path, busySeconds: 5)
    }

    /// The store if there is one already, for commands that only read.
    public static func existing(path: String) throws -> MasterStore? {
        StoreFolder.Identity(path: path) == nil ? nil : try MasterStore(path: path)
    }

    /// Closes the connection; afterwards every call fails.
    public func close() { try? lane.sync { try queue.close() } }

    static func open(_ path: String, busySeconds: Double) throws -> DatabaseQueue {
        try MasterError.translating(path) {
            var configuration = Configuration()
            configuration.busyMode = .timeout(busySeconds)
            // First without touching anything: the log mode is written to the file, also to a stranger's.
            let first = try DatabaseQueue(path: path, configuration: configuration)
            try first.inDatabase { try MasterSchema.inspect($0, path: path) }
            try first.close()
            configuration.journalMode = .wal
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try MasterSchema.migrator.migrate(queue)
            return queue
        }
    }

    /// The masters that are stored, by broker.
    public func records() async throws -> [MasterRecord] {
        try await read { try Self.records($0) }
    }

    static func records(_ db: Database) throws -> [MasterRecord] {
        let reasons = try reasons(db)
        var files: [String: [String: Int]] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT * FROM master_files") {
            files[row["broker"], default: [:]][row["file"]] = row["row_count"]
        }
        let sql = """
            SELECT *, (SELECT count(*) FROM namesakes n WHERE n.broker = m.broker) AS namesakes
            FROM masters m ORDER BY broker
            """
        return try Row.fetchAll(db, sql: sql).map { row in
            MasterRecord(
                broker: row["broker"], sync: row["sync"], source: row["source"], rows: row["row_count"],
                leftOut: row["left_out"], reasons: reasons[row["broker"]] ?? [], namesakes: row["namesakes"],
                files: files[row["broker"]] ?? [:], syncedAt: row["synced_at"])
        }
    }

    /// One broker's rows, as they are looked up.
    static func index(_ db: Database, _ record: MasterRecord) throws -> InstrumentIndex {
        var builder = IndexBuilder(rows: record.rows)
        let rows = try RowStatement(
            db, "SELECT \(MasterSchema.columns) FROM instruments WHERE broker = ? ORDER BY exchange, symbol")
        try rows.forEach(record.broker) { builder.append($0, $1) }
        return InstrumentIndex(builder)
    }

    /// Takes a broker's new rows and then puts them in the place of the old ones, in one transaction. Blocks.
    ///
    /// - Parameters:
    ///   - source: Where they come from; shown to users.
    ///   - insist: Takes also what ``MasterJudgement`` would refuse.
    ///   - files: Asked after `fill`: how many rows each of the broker's files had.
    ///   - fill: Hands over the rows and returns what it left out. If it throws, everything stays as it was.
    /// - Returns: What is stored now.
    /// - Throws: ``MasterError``, or what `fill` throws; `empty` when there are no rows, `doubtful` when there are far
    ///   fewer than before.
    @discardableResult
    public func replace(
        broker: String, source: String, insist: Bool = false, files: () -> [String: Int] = { [:] },
        _ fill: (_ add: (Listing) throws -> Void) throws -> LeftOutRows
    ) throws -> MasterRecord {
        // A connection of its own: its temporary table is its own, and readers are not held up.
        let queue = try Self.open(path, busySeconds: 30)
        defer { try? queue.close() }
        return try MasterError.translating(path) {
            let record = try queue.writeWithoutTransaction { db in
                var left = LeftOutRows()
                try db.execute(sql: MasterSchema.staging)
                // Concerns the temporary table alone: nobody waits for it.
                try db.inTransaction(.deferred) {
                    let row = try RowStatement(
                        db, "INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
                    left = try fill { try row.insert($0) }
                    return .commit
                }
                return try Self.swap(
                    db, broker: broker, source: source, leftOut: left, insist: insist, files: files(), time: now())
            }
            // Best effort: a reader may be in the way.
            _ = try? queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
            return record
        }
    }

    private static func swap(
        _ db: Database, broker: String, source: String, leftOut: LeftOutRows, insist: Bool, files: [String: Int],
        time: Int64
    ) throws -> MasterRecord {
        let staged = try Int.fetchOne(db, sql: "SELECT count(*) FROM staged") ?? 0
        guard staged > 0 else {
            throw MasterError(
                .empty, "There is not a single instrument of \(broker) in \(source); what was stored before stays.")
        }
        var record: MasterRecord?
        try db.inTransaction(.immediate) {
            let before = insist ? [:] : try counts(db, broker: broker, at: time)
            try db.execute(sql: "DELETE FROM instruments WHERE broker = ?", arguments: [broker])
            // In the table's own order, which makes it fast; of those that are called alike the preferred one.
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO instruments (broker, \(MasterSchema.columns))
                    SELECT ?, \(MasterSchema.columns) FROM staged ORDER BY exchange, symbol, \(MasterSchema.preference())
                    """, arguments: [broker])
            var rows = db.changesCount
            var left = leftOut
            let namesakes = try addNamesakes(db, broker: broker, missing: staged - rows, &left)
            rows += namesakes
            if !insist { try MasterJudgement.check(broker: broker, before, try counts(db, broker: broker, at: time)) }
            let sync = try Int64.fetchOne(db, sql: "SELECT coalesce(max(sync), 0) + 1 FROM masters") ?? 1
            try db.execute(
                sql: "INSERT OR REPLACE INTO masters VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [broker, sync, source, rows, left.count, time])
            try note(db, broker: broker, left)
            try db.execute(sql: "DELETE FROM master_files WHERE broker = ?", arguments: [broker])
            for (file, count) in files {
                try db.execute(sql: "INSERT INTO master_files VALUES (?, ?, ?)", arguments: [broker, file, count])
            }
            record = MasterRecord(
                broker: broker, sync: sync, source: source, rows: rows, leftOut: left.count, reasons: left.reasons,
                namesakes: namesakes, files: files, syncedAt: time)
            return .commit
        }
        guard let record else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
        return record
    }

    /// The instruments of each exchange of a broker, without contracts that have expired: those go from one day to the
    /// next.
    private static func counts(_ db: Database, broker: String, at time: Int64) throws -> [String: Int] {
        let day = MasterJudgement.day(at: time)
        let rows = try Row.fetchAll(
            db,
            sql:
                "SELECT exchange, count(*) AS rows FROM instruments WHERE broker = ? AND (expiry = 0 OR expiry >= ?) GROUP BY exchange",
            arguments: [broker, day])
        return Dictionary(uniqueKeysWithValues: rows.map { ($0["exchange"], $0["rows"]) })
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            lane.async { [self] in
                continuation.resume(with: Result { try MasterError.translating(path) { try queue.read(body) } })
            }
        }
    }
}
