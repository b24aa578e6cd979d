import GRDB
import MarketData
import Secrets

/// The rows of OpenAlgo's `api_keys` and `auth` as they are written, at one moment.
struct OpenAlgoSnapshot: Sendable {
    /// One of `api_keys`.
    struct Key: Sendable, Hashable {
        let row: Int64
        let user: String
        let hash: String
        let encrypted: String
    }

    /// One of `auth`.
    struct Login: Sendable, Hashable {
        let user: String
        let broker: String
        let isRevoked: Bool
        /// The client's number at the broker.
        let clientID: String
        /// Columns that may be encrypted, and may not be, by the names of credentials.
        let tokens: [String: Secret]

        /// What is left of a row that was removed.
        var revoked: Login { Login(user: user, broker: broker, isRevoked: true, clientID: clientID, tokens: [:]) }
    }

    /// Columns of `auth` and what adapters call them.
    private static let credentials = [
        "auth": "access_token", "feed_token": "feed_token", "aux_param1": "aux_param1", "aux_param2": "aux_param2",
        "aux_param3": "aux_param3", "aux_param4": "aux_param4", "secret_api_key": "secret_api_key",
    ]

    let keys: [Key]
    let logins: [Login]

    init(_ db: Database) throws {
        keys = try Row.fetchAll(
            db, sql: "SELECT id, user_id, api_key_hash, api_key_encrypted FROM api_keys ORDER BY id"
        )
        .map { row in
            Key(
                row: Int64.fromDatabaseValue(row["id"]) ?? 0, user: Self.text(row, "user_id"),
                hash: Self.text(row, "api_key_hash"), encrypted: Self.text(row, "api_key_encrypted"))
        }
        // Old installations lack the younger columns.
        logins = try Row.fetchAll(db, sql: "SELECT * FROM auth ORDER BY id").map { row in
            var tokens: [String: Secret] = [:]
            for (column, name) in Self.credentials {
                let text = Self.text(row, column)
                if !text.isEmpty { tokens[name] = Secret(text) }
            }
            return Login(
                user: Self.text(row, "name"), broker: Self.text(row, "broker"),
                isRevoked: (Int64.fromDatabaseValue(Self.value(row, "is_revoked")) ?? 0) != 0,
                clientID: Self.text(row, "user_id"), tokens: tokens)
        }
    }

    /// - Throws: ``OpenAlgoError`` with `notOpenAlgo` when a table is missing.
    static func inspect(_ db: Database, path: String) throws {
        for table in ["api_keys", "auth"] where try !db.tableExists(table) {
            throw OpenAlgoError(
                .notOpenAlgo,
                "\(path) is not OpenAlgo's database, or OpenAlgo has not been started with it yet: it has no table \(table)."
            )
        }
    }

    /// The text in a column; empty for NULL, for a missing column and for what is no text.
    static func text(_ row: Row, _ column: String) -> String {
        switch value(row, column).storage {
        case .string(let text): text
        case .int64(let number): "\(number)"
        case .null, .double, .blob: ""
        }
    }

    private static func value(_ row: Row, _ column: String) -> DatabaseValue {
        row.hasColumn(column) ? row[column] : .null
    }
}
