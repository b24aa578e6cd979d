import GRDB

/// The tables of the store, as steps from nothing to now. A released step is never edited: a new one is added.
enum MasterSchema {
    /// `FHin`: tells our files from other programs' SQLite files.
    static let applicationID = 0x4648_696E

    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("v1-masters") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: tables)
        }
        migrator.registerMigration("v2-left-out") { try $0.execute(sql: leftOut) }
        return migrator
    }()

    /// In this order in every statement.
    static let columns = "exchange, symbol, \(columnsBehindSymbol)"
    static let columnsBehindSymbol = """
        broker_exchange, broker_symbol, broker_token, name, type, tick_size, strike, lot_size, expiry, price_exp
        """

    // `sync` rises with every sync of any broker, so that a process which has loaded a master sees that there is a newer
    // one. Prices are mantissas of price_exp; expiry is yyyymmdd; times are seconds since 1970, UTC.
    private static let tables = """
        CREATE TABLE masters (
            broker TEXT PRIMARY KEY,
            sync INTEGER NOT NULL,
            source TEXT NOT NULL,
            row_count INTEGER NOT NULL,
            left_out INTEGER NOT NULL,
            synced_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE instruments (
            broker TEXT NOT NULL,
            exchange TEXT NOT NULL,
            symbol TEXT NOT NULL,
            broker_exchange TEXT NOT NULL,
            broker_symbol TEXT NOT NULL,
            broker_token TEXT NOT NULL,
            name TEXT NOT NULL,
            type TEXT NOT NULL,
            tick_size INTEGER NOT NULL,
            strike INTEGER NOT NULL,
            lot_size INTEGER NOT NULL,
            expiry INTEGER NOT NULL,
            price_exp INTEGER NOT NULL,
            PRIMARY KEY (broker, exchange, symbol)) WITHOUT ROWID;
        """

    // Why rows were left out, a line for each example, and the instruments that go by the broker's symbol because another
    // one has got their name; and how many rows each of a broker's files had.
    private static let leftOut = """
        CREATE TABLE left_out (
            broker TEXT NOT NULL,
            place INTEGER NOT NULL,
            example INTEGER NOT NULL,
            reason TEXT NOT NULL,
            kind INTEGER NOT NULL,
            row_count INTEGER NOT NULL,
            file TEXT,
            line INTEGER,
            text TEXT,
            PRIMARY KEY (broker, place, example)) WITHOUT ROWID;
        CREATE TABLE namesakes (
            broker TEXT NOT NULL,
            exchange TEXT NOT NULL,
            symbol TEXT NOT NULL,
            broker_token TEXT NOT NULL,
            wanted TEXT NOT NULL,
            winner TEXT NOT NULL,
            winner_token TEXT NOT NULL,
            PRIMARY KEY (broker, exchange, symbol)) WITHOUT ROWID;
        CREATE TABLE master_files (
            broker TEXT NOT NULL,
            file TEXT NOT NULL,
            row_count INTEGER NOT NULL,
            PRIMARY KEY (broker, file)) WITHOUT ROWID;
        """

    /// Whose name it is when several are called alike (``NamePreference``), as the end of an ORDER BY over `staged`.
    static func preference(_ table: String = "") -> String {
        "\(table)rank, \(table)broker_symbol, \(table)broker_token, \(table)rowid"
    }

    /// Where a sync collects its rows: in SQLite's own temporary file, gone with the connection, seen by nobody else.
    static let staging = """
        CREATE TEMP TABLE staged (
            exchange TEXT, symbol TEXT, broker_exchange TEXT, broker_symbol TEXT, broker_token TEXT, name TEXT, type TEXT,
            tick_size INTEGER, strike INTEGER, lot_size INTEGER, expiry INTEGER, price_exp INTEGER, rank INTEGER)
        """

    /// Refuses what is not ours before anything is written to it.
    static func inspect(_ db: Database, path: String) throws {
        let mark = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        if mark != applicationID, mark != 0 || tables > 0 {
            throw MasterError(
                .store,
                "\(path) is the database of another program and was left alone. Move it away, or the store with it."
            )
        }
        if try mark == applicationID && migrator.hasBeenSuperseded(db) {
            throw MasterError(
                .store,
                "The instruments in \(path) were written by a newer feedhost than this one. Run the newer program, or delete the file and sync again."
            )
        }
    }
}
