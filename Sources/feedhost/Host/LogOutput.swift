import Foundation
import Logging
import Synchronization

/// Log lines on standard error, as text or as JSON.
struct LogOutput: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let isJSON: Bool
    private let label: String

    init(label: String, level: Logger.Level, isJSON: Bool) {
        self.label = label
        logLevel = level
        self.isJSON = isJSON
    }

    /// Makes this the log of the whole program. Call it once.
    static func install(_ log: Settings.Log) {
        var isJSON = false
        if case .json = log.format { isJSON = true }
        LoggingSystem.bootstrap { [isJSON] in LogOutput(label: $0, level: log.level, isJSON: isJSON) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let time = Date().formatted(.iso8601)
        let line: String
        if isJSON {
            var object = ["time": time, "level": event.level.rawValue, "message": "\(event.message)"]
            for (key, value) in fields { object[key] = "\(value)" }
            let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
            line = data.map { String(decoding: $0, as: UTF8.self) } ?? ""
        } else {
            let suffix = fields.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            line = "\(time) \(event.level.rawValue) \(event.message)\(suffix)"
        }
        // Standard error may be a full disk; a line that cannot be written is no reason to stop.
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }
}
