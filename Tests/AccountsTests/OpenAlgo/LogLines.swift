import Logging
import Synchronization
import TestSupport

/// Keeps what is logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    var logger: Logger {
        Logger(label: "test") { _ in
            EventLog { event in self.lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") } }
        }
    }
}
