import Foundation
import Logging
import Synchronization

/// Log lines on standard error, as text or as JSON, and in files where that was asked for.
struct LogOutput: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let isJSON: Bool
    private let label: String
    private let files: LogFiles?

    init(label: String, level: Logger.Level, isJSON: Bool, files: LogFiles? = nil) {
        self.label = label
        logLevel = level
        self.isJSON = isJSON
        self.files = files
    }

    /// Makes this the log of the whole program. Call it once.
    static func install(_ log: Settings.Log) {
        var isJSON = false
        if case .json = log.format { isJSON = true }
        let files = log.toFile ? LogFiles(folder: log.folder, retentionDays: log.retentionDays) : nil
        LoggingSystem.bootstrap { [isJSON] in LogOutput(label: $0, level: log.level, isJSON: isJSON, files: files) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let time = Date().formatted(.iso8601)
        let line = written(event.level, "\(event.message)", fields, time)
        say(line)
        if let trouble = files?.write(Array((line + "\n").utf8), day: String(time.prefix(10))) {
            say(written(.warning, trouble, [:], time))
        }
    }

    private func written(_ level: Logger.Level, _ message: String, _ fields: Logger.Metadata, _ time: String) -> String
    {
        if isJSON {
            var object = ["time": time, "level": level.rawValue, "message": message]
            for (key, value) in fields { object[key] = "\(value)" }
            let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
            return data.map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        let suffix = fields.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return "\(time) \(level.rawValue) \(message)\(suffix)"
    }

    private func say(_ line: String) {
        // Standard error may be a full disk; a line that cannot be written is no reason to stop.
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }
}
