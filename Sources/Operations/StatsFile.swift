import Foundation

/// The file that OpenAlgo's health monitor reads (drop-in.md section 6), with our counters beside its five fields.
public struct StatsFile: Sendable {
    private let path: String

    public init(path: String) { self.path = path }

    /// True when the folder that the file belongs to exists.
    public var hasFolder: Bool {
        var isFolder: ObjCBool = false
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        return FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// Replaces the file in one step, so that a reader never sees half of it.
    /// - Throws: ``FileReplacement/Failure``.
    public func write(_ figures: Figures, at time: Date = Date()) throws {
        let fields: [String: Any] = [
            "timestamp": time.timeIntervalSince1970, "total_connections": figures.sessions,
            "total_symbols": figures.streams, "clients_connected": figures.clients, "brokers": figures.brokers,
            "counters": figures.counters,
        ]
        let data = try JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys])
        try FileReplacement.write(data, to: path)
    }
}
