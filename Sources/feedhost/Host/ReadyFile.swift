import Foundation

/// What `--ready-file` holds as long as clients can connect: how to reach this host, for scripts.
struct ReadyFile: Codable, Sendable {
    let pid: Int32
    /// Where clients connect.
    let websocket: String
    /// Everywhere that clients connect, the above first: `ws://`, `wss://` and `unix:` addresses.
    let listeners: [String]
    /// Where publishers connect.
    let bus: String
    /// Where subscribers connect.
    let publisher: String
    let brokers: [String]

    /// Writes the file in one step: whoever sees it sees all of it.
    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw StartError("The ready file \(path) cannot be written: \(error.localizedDescription).")
        }
    }

    static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}

/// Why the host does not start: a sentence for the person at the terminal.
struct StartError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
