import Foundation

/// Messages of the protocol in words.
enum TailTexts {
    static func name(_ message: [String: Any]) -> String {
        CellWidth.clean("\(message["exchange"] as? String ?? "?"):\(message["symbol"] as? String ?? "?")")
    }

    static func text(_ value: Any?) -> String { value.map { CellWidth.clean("\($0)") } ?? "" }

    static func line(_ message: [String: Any]) -> String {
        let data = message["data"] as? [String: Any] ?? [:]
        let values = TailPicture.columns.compactMap { column in
            data[column.key].map { "\(column.title.lowercased()) \(text($0))" }
        }
        return ([name(message)] + values + [book(data)]).filter { !$0.isEmpty }.joined(separator: "  ")
    }

    /// `bids 3@100.0 2@99.95 | asks 1@100.05 …`
    static func book(_ data: [String: Any]) -> String {
        guard let depth = data["depth"] as? [String: Any] else { return "" }
        func side(_ key: String) -> String {
            let levels = (depth[key] as? [[String: Any]] ?? []).prefix(5)
            return levels.map { "\(text($0["quantity"]))@\(text($0["price"]))" }.joined(separator: " ")
        }
        return "bids \(side("buy")) | asks \(side("sell"))"
    }

    /// `09:15:02  BROKER_DISCONNECTED: 1 of 3 connections … (since 09:15:00, next attempt 09:15:04)`
    static func notice(_ message: [String: Any]) -> String {
        let times = [("since", "since"), ("next_attempt", "next attempt")].compactMap { key, word in
            time(message[key]).map { "\(word) \(clock($0))" }
        }
        let code = text(message["code"])
        return "\(clock(Date()))  \(code.isEmpty ? "notice" : code): \(text(message["message"]))"
            + (times.isEmpty ? "" : " (\(times.joined(separator: ", ")))")
    }

    /// From ms since 1970, UTC; nil for what is no time.
    static func time(_ value: Any?) -> Date? {
        (value as? NSNumber).map { Date(timeIntervalSince1970: $0.doubleValue / 1000) }
    }

    /// `09:15:02`, here.
    static func clock(_ date: Date) -> String {
        var seconds = time_t(date.timeIntervalSince1970)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return String(format: "%02d:%02d:%02d", parts.tm_hour, parts.tm_min, parts.tm_sec)
    }
}
