import Foundation
import MarketData

/// What the host and the commands say about masters.
package enum InstrumentTexts {
    /// `zerodha: 98765 instruments in 2.4 s, 12 rows left out: 9 no token, 3 expiry not understood (https://api.kite.trade)`.
    package static func summary(_ record: MasterRecord, seconds: Duration) -> String {
        let time = Double(seconds.components.seconds) + Double(seconds.components.attoseconds) / 1e18
        let left = record.leftOut == 0 ? "" : ", \(leftOut(record))"
        return
            "\(record.broker): \(record.rows) instruments in \(String(format: "%.1f", time)) s\(left) (\(record.source))"
    }

    /// `12 rows left out: 9 no token, 3 expiry not understood`.
    package static func leftOut(_ record: MasterRecord) -> String {
        // A store from before reasons were kept has none.
        let why = record.reasons.map { "\($0.count) \($0.text)" }.joined(separator: ", ")
        return "\(record.leftOut) rows left out\(why.isEmpty ? "" : ": \(why)")"
    }

    /// What a person who has synced should look at: the first rows of each reason, and who has lost a name.
    package static func details(_ record: MasterRecord) -> [String] {
        var lines = record.reasons.compactMap { reason in
            reason.examples.first.map { "  \(reason.text), for example \(shown($0))" }
        }
        lines += record.emptyFiles.map { "  \($0) holds no instruments" }
        if record.namesakes > 0 {
            lines.append("  \(record.namesakes) instruments go by the broker's symbol, as another one has their name")
        }
        if record.leftOut > 0 || record.namesakes > 0 {
            lines.append("  `feedhost instruments list --left-out` shows more")
        }
        return lines
    }

    /// `instruments.csv, line 3: 1001,4,AARTIIND24APRFUT,…`.
    package static func shown(_ example: LeftOutRows.Example, limit: Int = 100) -> String {
        let place = [example.file, example.line == 0 ? "" : "line \(example.line)"].filter { !$0.isEmpty }
        let text = example.text.count > limit ? "\(example.text.prefix(limit))…" : example.text
        return [place.joined(separator: ", "), text].filter { !$0.isEmpty }.joined(separator: ": ")
    }

    /// `2026-11-30T08:35:00Z`.
    static func time(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }

    /// `3 hours`, for how old a master is.
    package static func age(since synced: Int64, now: Date = Date()) -> String {
        let minutes = max(0, Int(now.timeIntervalSince1970) - Int(synced)) / 60
        switch minutes {
        case ..<2: return "a minute"
        case ..<120: return "\(minutes) minutes"
        case ..<(48 * 60): return "\(minutes / 60) hours"
        default: return "\(minutes / 1440) days"
        }
    }
}
