import Foundation
import Operations

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
    /// - Throws: ``StartError``.
    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            try FileReplacement.write(try encoder.encode(self), to: path)
        } catch {
            throw StartError("The ready file \(path) \(error).")
        }
    }

    /// A file alone: a folder that was named by mistake stays.
    static func remove(_ path: String) { unlink(path) }
}

/// Why the host does not start: a sentence for the person at the terminal.
struct StartError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
