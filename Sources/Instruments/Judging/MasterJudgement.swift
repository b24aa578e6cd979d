import MarketData

/// Whether a master that was read is to be trusted. One that is not is refused, and the one before it stays; `--force`
/// takes it all the same.
enum MasterJudgement {
    /// A file is refused when this share of its rows, in percent, could not be understood…
    static let faultShare = 25
    /// …and it is this many rows at the least. In smaller numbers half of the rows.
    static let faultRows = 20
    /// A master is refused when an exchange loses more than this share of its instruments, in percent, not counting
    /// contracts that have expired…
    static let lossShare = 25
    /// …and it is this many at the least.
    static let lossRows = 10

    /// What speaks against one file, in sentences that say which and what.
    /// - Parameters:
    ///   - rows: That were handed over.
    ///   - mayBeEmpty: It is one of several, and had no instruments before: there may be none of its kind.
    static func doubts(file: String, rows: Int, _ report: MasterReport, mayBeEmpty: Bool = false) -> [String] {
        var doubts = report.doubts.map { "\(file): \($0)" }
        let faults = report.leftOut.count(.fault)
        let why = report.leftOut.count == 0 ? "" : " (left out: \(reasons(report.leftOut.reasons)))"
        if rows == 0, doubts.isEmpty {
            if mayBeEmpty, report.leftOut.count == 0 { return [] }
            doubts.append("\(file) holds not a single instrument\(why)")
        } else if faults > 0, isTooMuch(faults, of: rows + faults) {
            doubts.append("\(faults) of the \(rows + faults) rows of \(file) could not be understood\(why)")
        }
        return doubts
    }

    private static func isTooMuch(_ faults: Int, of rows: Int) -> Bool {
        faults * 2 >= rows || (faults >= faultRows && faults * 100 > rows * faultShare)
    }

    /// The error for files that are doubted.
    static func refusal(_ doubts: [String]) -> MasterError {
        MasterError(
            .doubtful,
            "\(doubts.joined(separator: "; ")). So nothing was changed. Download it again; if it is right as it is, --force takes what could be read."
        )
    }

    /// Compares the instruments of each exchange with those before.
    static func check(broker: String, _ before: [String: Int], _ now: [String: Int]) throws(MasterError) {
        let losses = before.sorted { $0.key < $1.key }.compactMap { exchange, count -> String? in
            let left = now[exchange] ?? 0
            guard count - left >= lossRows, (count - left) * 100 > count * lossShare else { return nil }
            return "\(left == 0 ? "none" : "\(left)") of \(exchange) where there were \(count)"
        }
        guard !losses.isEmpty else { return }
        throw MasterError(
            .doubtful,
            "The new master of \(broker) has \(losses.joined(separator: ", ")): more than \(lossShare) % fewer, contracts that have expired not counted. So nothing was changed. Give all of its files, the newest ones; if it is right as it is, --force takes it."
        )
    }

    /// `3 expiry not understood, 1 no token`.
    static func reasons(_ reasons: [LeftOutRows.Reason]) -> String {
        reasons.map { "\($0.count) \($0.text)" }.joined(separator: ", ")
    }

    /// The day in India, yyyymmdd.
    static func day(at time: Int64) -> Int64 {
        // Days since 1970 to the civil calendar, as in Howard Hinnant's date algorithms.
        let days = (time + 19_800) / 86_400 + 719_468
        let era = days / 146_097
        let ofEra = days - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * ofYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return year * 10_000 + month * 100 + ofYear - (153 * shifted + 2) / 5 + 1
    }
}
