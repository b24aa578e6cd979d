import Foundation
import Instruments

/// What the host and the commands say about masters.
enum InstrumentTexts {
    /// `zerodha: 98765 instruments in 2.4 s, 12 rows left out (https://api.kite.trade)`.
    static func summary(_ record: MasterRecord, seconds: Duration) -> String {
        let time = Double(seconds.components.seconds) + Double(seconds.components.attoseconds) / 1e18
        let left = record.leftOut == 0 ? "" : ", \(record.leftOut) rows left out"
        return
            "\(record.broker): \(record.rows) instruments in \(String(format: "%.1f", time)) s\(left) (\(record.source))"
    }

    /// `3 hours`, for how old a master is.
    static func age(since synced: Int64, now: Date = Date()) -> String {
        let minutes = max(0, Int(now.timeIntervalSince1970) - Int(synced)) / 60
        switch minutes {
        case ..<2: return "a minute"
        case ..<120: return "\(minutes) minutes"
        case ..<(48 * 60): return "\(minutes / 60) hours"
        default: return "\(minutes / 1440) days"
        }
    }
}
