import Foundation
import GRDB
import MarketData

/// OpenAlgo's `symtoken`: one broker's instrument master, the one of the latest login.
///
/// OpenAlgo deletes and rewrites all of it at a login, in several steps. ``look()`` tells when a new one is complete, and
/// ``listings()`` reads it, to be kept where all masters are.
public actor OpenAlgoInstruments: MirroredInstruments {
    public typealias Master = MirroredMaster

    /// What can be seen of the table without reading it.
    private struct Outline: Sendable, Hashable {
        var rows = 0
        var lastID: Int64 = 0
        /// Of the newest line of `master_contract_status`; younger installations have it.
        var broker: String?
        var updated = ""
        /// False while a download is under way, and when the last one has failed.
        var isComplete = true
    }

    private let database: OpenAlgoDatabase
    private let loginBroker: String?
    /// Why there is no master, when rows are there; nil when there is one.
    public private(set) var obstacle: String?
    private var outline: Outline?
    private var known: Master?
    /// When all rows were read, and what the database was then.
    private var read: (at: ContinuousClock.Instant, version: OpenAlgoDatabase.Version)?
    /// Rows may change while their number does not; all of them are compared this often, if anything was written at all.
    private static let comparedEvery = Duration.seconds(60)

    public init(_ installation: OpenAlgoInstallation) {
        // A connection of its own: reading 200,000 rows must not keep a key waiting.
        database = OpenAlgoDatabase(path: installation.database, label: "feedhost.openalgo.instruments")
        loginBroker = installation.loginBroker
    }

    public func close() { database.close() }

    /// The master that is there now; nil when it is the one that an earlier look has found, is incomplete, or is nobody's.
    /// It is complete when two looks have seen the same.
    /// - Throws: ``OpenAlgoError``.
    public func look() async throws -> Master? {
        let version = try await database.version()
        guard version != read?.version else { return nil }
        let found = try await database.read { try Self.outline($0) }
        guard found == outline else {
            outline = found
            read = nil
            return nil
        }
        if let read, ContinuousClock.now - read.at < Self.comparedEvery { return nil }
        guard found.rows > 0, found.isComplete else {
            obstacle = found.rows == 0 ? nil : "OpenAlgo has not finished downloading it"
            return nil
        }
        let named = found.broker ?? loginBroker
        let master = try await database.read { db in
            try Self.owner(db, named).map { broker in
                Master(broker: broker, fingerprint: try Self.fingerprint(db), rows: found.rows)
            }
        }
        read = (.now, version)
        obstacle = master == nil ? "neither REDIRECT_URL nor the logins say which broker it is of" : nil
        guard let master, master != known else { return nil }
        known = master
        return master
    }

    /// The master was not taken over: the next look finds it again.
    public func forget() {
        known = nil
        read = nil
    }

    /// All rows, and how many were left out because they are no instruments.
    public nonisolated func listings() async throws -> (rows: [Listing], leftOut: Int) {
        try await database.read { db in
            var found: [Listing] = []
            var left = 0
            let rows = try Row.fetchCursor(db, sql: "SELECT * FROM symtoken ORDER BY id")
            while let row = try rows.next() {
                if let listing = SymbolRow.listing(row) { found.append(listing) } else { left += 1 }
            }
            return (found, left)
        }
    }

    private static func outline(_ db: Database) throws -> Outline {
        var outline = Outline()
        guard try db.tableExists("symtoken") else { return outline }
        if let row = try Row.fetchOne(db, sql: "SELECT count(*) AS n, max(id) AS last FROM symtoken") {
            outline.rows = Int.fromDatabaseValue(row["n"]) ?? 0
            outline.lastID = Int64.fromDatabaseValue(row["last"]) ?? 0
        }
        guard try db.tableExists("master_contract_status"),
            let row = try Row.fetchOne(db, sql: "SELECT * FROM master_contract_status ORDER BY last_updated DESC")
        else { return outline }
        outline.broker = OpenAlgoSnapshot.text(row, "broker")
        outline.updated = OpenAlgoSnapshot.text(row, "last_updated")
        outline.isComplete = OpenAlgoSnapshot.text(row, "status") == "success"
        return outline
    }

    /// The table does not say whose it is. It is the broker's whose master was loaded last, or, where that is not noted, the
    /// broker's that logins go to, or the only one that anybody is logged in at. Else nobody's: another broker's tokens
    /// would bring the prices of other instruments.
    private static func owner(_ db: Database, _ named: String?) throws -> String? {
        if let named, !named.isEmpty { return named }
        let brokers = try String.fetchAll(
            db, sql: "SELECT DISTINCT broker FROM auth WHERE coalesce(is_revoked, 0) = 0 AND broker <> '' LIMIT 2")
        return brokers.count == 1 ? brokers.first : nil
    }

    private static func fingerprint(_ db: Database) throws -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT printf('%s|%s|%s|%s|%s|%s|%s', symbol, exchange, brsymbol, brexchange, token, lotsize, tick_size)
                FROM symtoken ORDER BY id
                """)
        while let row = try rows.next() {
            try row.withUnsafeData(atIndex: 0) { data in
                for byte in data ?? Data() { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            }
            hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        }
        return String(hash, radix: 16)
    }
}
