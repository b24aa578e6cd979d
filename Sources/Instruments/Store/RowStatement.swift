import GRDB
import GRDBSQLite
import MarketData

/// SQLite's own interface for the two places where 200,000 rows go by: GRDB makes objects of every value.
struct RowStatement: ~Copyable {
    private let statement: OpaquePointer
    private let connection: OpaquePointer

    init(_ db: Database, _ sql: String) throws {
        guard let connection = db.sqliteConnection else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v2(connection, sql, -1, &statement, nil)
        guard code == SQLITE_OK, let statement else { throw Self.failure(connection, code) }
        self.statement = statement
        self.connection = connection
    }

    deinit { sqlite3_finalize(statement) }

    /// Writes one row of ``MasterSchema/columns``, and its rank.
    func insert(_ listing: Listing) throws {
        bind(1, listing.instrument.exchange)
        bind(2, listing.instrument.symbol)
        bind(3, listing.brokerExchange)
        bind(4, listing.brokerSymbol)
        bind(5, listing.brokerToken)
        bind(6, listing.name)
        bind(7, listing.type)
        sqlite3_bind_int64(statement, 8, listing.tickSize)
        sqlite3_bind_int64(statement, 9, listing.strike)
        sqlite3_bind_int64(statement, 10, listing.lotSize)
        sqlite3_bind_int64(statement, 11, Int64(listing.expiry))
        sqlite3_bind_int64(statement, 12, Int64(listing.priceExponent))
        sqlite3_bind_int64(statement, 13, NamePreference.rank(listing))
        let code = sqlite3_step(statement)
        sqlite3_reset(statement)
        guard code == SQLITE_DONE else { throw Self.failure(connection, code) }
    }

    /// Reads all rows of ``MasterSchema/columns``.
    /// - Parameter text: The statement's only argument.
    func forEach(_ text: String, _ body: (IndexBuilder.Texts, IndexBuilder.Numbers) -> Void) throws {
        bind(1, text)
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { break }
            guard code == SQLITE_ROW else { throw Self.failure(connection, code) }
            body(
                IndexBuilder.Texts(
                    exchange: column(0), symbol: column(1), brokerExchange: column(2), brokerSymbol: column(3),
                    token: column(4), name: column(5), type: column(6)),
                IndexBuilder.Numbers(
                    tickSize: sqlite3_column_int64(statement, 7), strike: sqlite3_column_int64(statement, 8),
                    lotSize: sqlite3_column_int64(statement, 9),
                    expiry: UInt32(clamping: sqlite3_column_int64(statement, 10)),
                    priceExponent: Int8(clamping: sqlite3_column_int64(statement, 11))))
        }
    }

    private func bind(_ column: Int32, _ text: String) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                // SQLITE_TRANSIENT, a cast that C macros hide: SQLite copies the text.
                let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
                // No address is NULL to SQLite, even when the text has no bytes.
                if let start = $0.baseAddress {
                    sqlite3_bind_text(statement, column, start, Int32($0.count), copied)
                } else {
                    sqlite3_bind_text(statement, column, "", 0, copied)
                }
            }
        }
    }

    /// Valid until the next step.
    private func column(_ column: Int32) -> UnsafeBufferPointer<UInt8> {
        let start = sqlite3_column_text(statement, column)
        return UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(statement, column)))
    }

    private static func failure(_ connection: OpaquePointer, _ code: Int32) -> DatabaseError {
        DatabaseError(resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)))
    }
}
