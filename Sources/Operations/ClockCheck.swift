import Foundation

/// Whether this machine's clock can be right, without asking the network.
public enum ClockCheck {
    /// Before this there was no such program. Seconds since 1970: 2025-01-01.
    static let earliest: Int64 = 1_735_689_600
    /// 2100-01-01.
    static let latest: Int64 = 4_102_444_800
    /// Clocks of machines that wrote into one store may differ so much, in seconds.
    static let tolerance: Int64 = 300

    /// - Parameters:
    ///   - now: Seconds since 1970.
    ///   - stamps: Times at which something was written, with what it was.
    /// - Returns: What is wrong, as a sentence without its end; nil when nothing shows.
    public static func trouble(now: Int64, stamps: [(what: String, at: Int64)]) -> String? {
        guard (earliest..<latest).contains(now) else { return "the clock says \(text(now)), which cannot be" }
        guard let newest = stamps.max(by: { $0.at < $1.at }), newest.at > now + tolerance else { return nil }
        return
            "\(newest.what) was written at \(text(newest.at)), and the clock says \(text(now)): it is slow now or was fast then"
    }

    private static func text(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }
}
