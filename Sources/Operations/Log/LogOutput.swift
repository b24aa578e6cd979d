import Foundation
import Logging
import MarketData
import Synchronization

/// Log lines on standard error, as text or as JSON, and in files where that was asked for.
package struct LogOutput: LogHandler {
    package var metadata: Logger.Metadata = [:]
    /// Nil: as all others.
    private var ownLevel: Logger.Level?
    private let isJSON: Bool
    private let label: String
    private let files: LogFiles?

    /// Place in the list of levels; every line asks for it, also those that are not written.
    private static let common = Atomic<Int>(rank(of: .info))
    private static let opened = Mutex<LogFiles?>(nil)

    init(label: String, level: Logger.Level? = nil, isJSON: Bool, files: LogFiles? = nil) {
        self.label = label
        ownLevel = level
        self.isJSON = isJSON
        self.files = files
    }

    /// Makes this the log of the whole program. Call it once.
    /// - Parameter files: Nil: standard error alone.
    package static func install(level: Logger.Level, isJSON: Bool, files: LogFiles?) {
        self.level = level
        opened.withLock { $0 = files }
        LoggingSystem.bootstrap { LogOutput(label: $0, isJSON: isJSON, files: files) }
    }

    /// The least severity that is logged, by all loggers that were given none of their own. Any thread, any time.
    package static var level: Logger.Level {
        get { Logger.Level.allCases[common.load(ordering: .relaxed)] }
        set { common.store(rank(of: newValue), ordering: .relaxed) }
    }

    /// Opens the log's file anew with the next line: somebody may have moved it away.
    package static func reopen() { opened.withLock { $0?.reopen() } }

    package var logLevel: Logger.Level {
        get { ownLevel ?? Self.level }
        set { ownLevel = newValue }
    }

    private static func rank(of level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 0 }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let time = Date().formatted(.iso8601)
        let line = written(event.level, "\(event.message)", fields, time)
        say(line)
        if let trouble = files?.write(Array((line + "\n").utf8), day: String(time.prefix(10))) {
            say(written(.warning, trouble, [:], time))
        }
    }

    func written(_ level: Logger.Level, _ message: String, _ fields: Logger.Metadata, _ time: String) -> String {
        // Whoever writes a line may repeat what an outsider has sent, so all of them are cleaned here.
        let message = message.oneLine()
        if isJSON {
            var object = ["time": time, "level": level.rawValue, "message": message]
            for (key, value) in fields { object[key] = "\(value)".oneLine() }
            let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
            return data.map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        let suffix = fields.sorted { $0.key < $1.key }.map { " \($0.key)=\("\($0.value)".oneLine())" }.joined()
        return "\(time) \(level.rawValue) \(message)\(suffix)"
    }

    private func say(_ line: String) {
        // Standard error may be a full disk; a line that cannot be written is no reason to stop.
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }
}
