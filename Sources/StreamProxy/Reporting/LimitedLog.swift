import Logging
import NIOCore

/// A log for what clients can trigger: one line of each kind a second, with the number of those left out.
final class LimitedLog {
    private struct Line {
        var next: NIODeadline
        var suppressed = 0
    }

    private let logger: Logger
    private var lines: [String: Line] = [:]

    init(_ logger: Logger) { self.logger = logger }

    /// - Parameter kind: The line without its variable parts; from a fixed set, never from a client.
    func write(_ level: Logger.Level, _ kind: String, now: NIODeadline, _ metadata: Logger.Metadata = [:]) {
        guard level >= logger.logLevel else { return }
        let line = lines[kind]
        if let line, now < line.next {
            lines[kind]?.suppressed += 1
            return
        }
        var metadata = metadata
        if let line, line.suppressed > 0 { metadata["suppressed"] = "\(line.suppressed)" }
        lines[kind] = Line(next: now + .seconds(1))
        logger.log(level: level, "\(kind)", metadata: metadata)
    }
}
