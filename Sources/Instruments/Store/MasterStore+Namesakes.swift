import GRDB
import MarketData

extension MasterStore {
    /// Instruments of a broker, or of all, that go by a name of their own because theirs is another one's.
    public func namesakes(broker: String? = nil) async throws -> [Namesake] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql:
                    "SELECT * FROM namesakes WHERE :broker IS NULL OR broker = :broker ORDER BY broker, exchange, symbol",
                arguments: ["broker": broker]
            ).map { row in
                Namesake(
                    broker: row["broker"], instrument: Instrument(exchange: row["exchange"], symbol: row["symbol"]),
                    brokerToken: row["broker_token"], wanted: row["wanted"], winner: row["winner"],
                    winnerToken: row["winner_token"])
            }
        }
    }

    /// The reasons why rows were left out, by broker.
    static func reasons(_ db: Database) throws -> [String: [LeftOutRows.Reason]] {
        var reasons: [String: [LeftOutRows.Reason]] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT * FROM left_out ORDER BY broker, place, example") {
            let file: String? = row["file"]
            let example = file.map {
                LeftOutRows.Example(file: $0, line: UInt64(clamping: row["line"] as Int64), text: row["text"])
            }
            let broker: String = row["broker"]
            if row["example"] as Int == 0 {
                reasons[broker, default: []].append(
                    LeftOutRows.Reason(
                        text: row["reason"], kind: LeftOutRows.Kind(rawValue: row["kind"]) ?? .fault,
                        count: row["row_count"], examples: []))
            }
            if let example, let last = reasons[broker]?.indices.last { reasons[broker]?[last].examples.append(example) }
        }
        return reasons
    }

    /// Writes down why rows were left out, in the place of what was said of the broker before.
    static func note(_ db: Database, broker: String, _ leftOut: LeftOutRows) throws {
        try db.execute(sql: "DELETE FROM left_out WHERE broker = ?", arguments: [broker])
        for (place, reason) in leftOut.reasons.enumerated() {
            let examples: [LeftOutRows.Example?] = reason.examples.isEmpty ? [nil] : reason.examples
            for (number, example) in examples.enumerated() {
                try db.execute(
                    sql: "INSERT INTO left_out VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    arguments: [
                        broker, place, number, reason.text, reason.kind.rawValue, reason.count, example?.file,
                        example.map { Int64(clamping: $0.line) }, example?.text,
                    ])
            }
        }
    }

    /// After the rows with a name of their own are in: those whose name another one has got.
    /// - Parameter leftOut: Takes those that have no other name, and those that came more than once.
    /// - Returns: Rows that were added.
    static func addNamesakes(
        _ db: Database, broker: String, missing: Int, _ leftOut: inout LeftOutRows
    ) throws -> Int {
        try db.execute(sql: "DELETE FROM namesakes WHERE broker = ?", arguments: [broker])
        guard missing > 0 else { return 0 }
        let losers = try Row.fetchAll(
            db,
            sql: """
                SELECT s.rowid AS place, s.exchange, s.symbol, s.broker_symbol, s.broker_token,
                    i.broker_symbol AS winner, i.broker_token AS winner_token
                FROM staged s JOIN instruments i ON i.broker = ? AND i.exchange = s.exchange AND i.symbol = s.symbol
                WHERE i.broker_token <> s.broker_token OR i.broker_exchange <> s.broker_exchange
                GROUP BY s.exchange, s.symbol, s.broker_exchange, s.broker_token
                HAVING s.rowid = min(s.rowid)
                ORDER BY s.exchange, s.symbol, \(MasterSchema.preference("s."))
                """, arguments: [broker])
        var added = 0
        var homeless = 0
        for row in losers {
            let shared = Instrument(exchange: row["exchange"], symbol: row["symbol"])
            let (theirs, token): (String, String) = (row["broker_symbol"], row["broker_token"])
            let (winner, winnerToken): (String, String) = (row["winner"], row["winner_token"])
            if let own = NamePreference.own(shared, brokerSymbol: theirs, winner: winner) {
                try db.execute(
                    sql: """
                        INSERT OR IGNORE INTO instruments (broker, \(MasterSchema.columns))
                        SELECT ?, exchange, broker_symbol, \(MasterSchema.columnsBehindSymbol) FROM staged WHERE rowid = ?
                        """, arguments: [broker, row["place"] as Int64])
                if db.changesCount == 1 {
                    added += 1
                    try db.execute(
                        sql: "INSERT INTO namesakes VALUES (?, ?, ?, ?, ?, ?, ?)",
                        arguments: [
                            broker, own.exchange, own.symbol, token, shared.symbol, winner, winnerToken,
                        ])
                    continue
                }
            }
            homeless += 1
            leftOut.add(
                "its name is another one's", .nameTaken,
                example: .init(
                    file: "", line: 0,
                    text: "\(shared): token \(token) (\(theirs)); the name has token \(winnerToken) (\(winner))"))
        }
        let again = missing - added - homeless
        if again > 0 { leftOut.add("the same instrument again", .again, count: again) }
        return added
    }
}
