import GRDB
import MarketData

extension MasterStore {
    /// One row that was found, and whose it is.
    public struct Hit: Sendable, Hashable {
        public let broker: String
        public let listing: Listing
    }

    /// Rows whose symbol or name holds a text: equal symbols first, then those that begin with it, then the rest.
    public func search(_ search: MasterSearch) async throws -> [Hit] {
        // LIKE knows capitals of ASCII only, as symbols do.
        let text = search.text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
        let arguments: StatementArguments = [
            "broker": search.broker, "exchange": search.exchange, "equal": search.text, "start": "\(text)%",
            "part": "%\(text)%", "limit": max(0, search.limit),
        ]
        return try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT broker, \(MasterSchema.columns) FROM instruments
                    WHERE (:broker IS NULL OR broker = :broker) AND (:exchange IS NULL OR exchange = :exchange)
                        AND (symbol LIKE :part ESCAPE '\\' OR broker_symbol LIKE :part ESCAPE '\\'
                            OR name LIKE :part ESCAPE '\\')
                    ORDER BY CASE WHEN symbol = :equal COLLATE NOCASE THEN 0
                        WHEN symbol LIKE :start ESCAPE '\\' THEN 1 ELSE 2 END,
                        length(symbol), exchange, symbol, broker
                    LIMIT :limit
                    """, arguments: arguments
            ).map { row in
                Hit(
                    broker: row["broker"],
                    listing: Listing(
                        instrument: Instrument(exchange: row["exchange"], symbol: row["symbol"]),
                        brokerSymbol: row["broker_symbol"], brokerExchange: row["broker_exchange"],
                        brokerToken: row["broker_token"], name: row["name"], type: row["type"],
                        priceExponent: row["price_exp"], tickSize: row["tick_size"], strike: row["strike"],
                        lotSize: row["lot_size"], expiry: row["expiry"]))
            }
        }
    }
}
