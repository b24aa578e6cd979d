/// Log lines that one writer may cause: 20 a second after a burst of 100. A decoder that complains about every frame
/// would otherwise fill the disk.
public struct LogBudget: Sendable {
    private var tokens = 100.0
    private var last: UInt64 = 0
    private var suppressed = 0

    public init() {}

    /// - Parameter now: ns of ``Uptime``.
    /// - Returns: How many lines were left out before this one; nil when this one is left out too.
    public mutating func take(now: UInt64) -> Int? {
        if last != 0, now > last { tokens = min(100, tokens + Double(now - last) / 1e9 * 20) }
        last = now
        guard tokens >= 1 else {
            suppressed += 1
            return nil
        }
        tokens -= 1
        defer { suppressed = 0 }
        return suppressed
    }

    /// What a line says of those before it that were left out; empty when there were none.
    public static func remark(_ suppressed: Int) -> String {
        suppressed > 0 ? " (\(suppressed) lines before this one were left out)" : ""
    }
}
