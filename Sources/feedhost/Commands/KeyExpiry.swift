import Foundation

/// Until when a key is good, as it is given on the command line.
enum KeyExpiry {
    private struct Wrong: Error, CustomStringConvertible { let description: String }

    /// Nobody means more; also keeps sums within their type.
    private static let longestDays = 36_500
    private static let india = TimeZone(secondsFromGMT: 5 * 3600 + 1800) ?? .gmt

    /// - Parameters:
    ///   - text: `12h`, `30d`, `8w`, a date (its last moment in India), or `never`.
    ///   - now: Seconds since 1970, UTC.
    /// - Returns: seconds since 1970, UTC; nil for `never`.
    static func parse(_ text: String, now: Int64) throws -> Int64? {
        if text.lowercased() == "never" { return nil }
        if let seconds = span(text) { return now + seconds }
        if let end = lastSecond(of: text) { return end }
        throw Wrong(
            description:
                "--expires \(text.prefix(40).debugDescription) is neither a time span such as 12h, 30d or 8w, nor a date such as 2026-12-31, nor never."
        )
    }

    private static func span(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["h": 3600, "d": 86_400, "w": 7 * 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), text.dropLast().allSatisfy(\.isASCII),
            let count = Int64(text.dropLast()), count > 0, count <= Int64(longestDays) * 24,
            count * unit <= Int64(longestDays) * 86_400
        else { return nil }
        return count * unit
    }

    /// The second after the day, so that the key is good all day.
    private static func lastSecond(of text: String) -> Int64? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], parts.allSatisfy({ $0.allSatisfy { ("0"..."9").contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = india
        let components = DateComponents(year: year, month: month, day: day)
        // The 31st of April would become the 1st of May.
        guard let start = calendar.date(from: components),
            calendar.dateComponents([.year, .month, .day], from: start) == components
        else { return nil }
        return Int64(start.timeIntervalSince1970) + 86_400
    }
}
