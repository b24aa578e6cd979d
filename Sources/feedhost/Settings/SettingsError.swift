/// Everything that is wrong with the configuration, at once: nobody likes to mend it one error a start.
struct SettingsError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Each names its source, the key, the value unless it is a secret, and what is allowed.
    let problems: [String]

    init(_ problems: [String]) { self.problems = problems }

    var description: String {
        if problems.count == 1, let only = problems.first { return only }
        return "\(problems.count) things are wrong with the configuration:\n"
            + problems.map { "  \($0)" }.joined(separator: "\n")
    }

    /// One value that is not allowed.
    /// - Parameter hint: What was probably meant, as ``NearMatch`` says it.
    static func wrong(_ source: String, value: String, secret: Bool, allowed: String, hint: String = "") -> String {
        if secret { return "\(source) has a wrong value (not shown); allowed: \(allowed)" }
        if value.isEmpty { return "\(source) is empty; allowed: \(allowed)" }
        let shown = value.count > 120 ? String(value.prefix(117)) + "..." : value
        // With escapes: what is in a file must not be obeyed by the terminal.
        return "\(source) is \(shown.debugDescription); allowed: \(allowed)\(hint.isEmpty ? "" : ".\(hint)")"
    }
}
