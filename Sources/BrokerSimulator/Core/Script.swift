import Foundation

/// Faults with times. A line is `AT FAULT [JSON]`, where `AT` is seconds after the start:
///
/// ```
/// # the token rolls over, five seconds later the broker is back
/// 10    roll {"sockets":"drop"}
/// 10.5  refuse {"status":503}
/// 15    accept
/// ```
public struct Script: Sendable {
    struct Line: Sendable {
        var milliseconds: Int64
        var fault: Fault
    }

    let lines: [Line]

    /// - Throws: ``SimulatorError`` with the number of the line that is wrong.
    public init(parsing text: String) throws(SimulatorError) {
        var lines: [Line] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let parts = line.split(maxSplits: 2, whereSeparator: \.isWhitespace)
            guard let first = parts.first, !first.hasPrefix("#") else { continue }
            guard let seconds = Double(first), (0...1_000_000).contains(seconds), parts.count > 1 else {
                throw SimulatorError("Script line \(number + 1): expected seconds, a fault, and perhaps a JSON object.")
            }
            do {
                let fault = try Fault(String(parts[1]), body: parts.count > 2 ? String(parts[2]) : "")
                lines.append(Line(milliseconds: Int64((seconds * 1_000).rounded()), fault: fault))
            } catch {
                throw SimulatorError("Script line \(number + 1): \(error)")
            }
        }
        self.lines = lines
    }

    /// - Throws: ``SimulatorError`` when the file cannot be read or is wrong.
    public init(path: String) throws(SimulatorError) {
        guard let data = try? FileHandle(forReadingAtPath: path)?.readToEnd(),
            let text = String(data: data, encoding: .utf8)
        else {
            throw SimulatorError("Cannot read the script \(path): check the path, and that it is UTF-8.")
        }
        do {
            try self.init(parsing: text)
        } catch {
            throw SimulatorError("\(path): \(error)")
        }
    }
}
