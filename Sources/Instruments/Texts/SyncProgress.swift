import Foundation
import Synchronization

/// Shows on standard error how far a sync is: one line that moves on a terminal, else a line for each file.
package final class SyncProgress: Sendable {
    private struct State {
        var file = ""
        var drawn = ContinuousClock.now - .seconds(1)
    }

    private let broker: String
    private let isTerminal: Bool
    private let state = Mutex(State())

    package init(broker: String, isTerminal: Bool = isatty(STDERR_FILENO) == 1) {
        self.broker = broker
        self.isTerminal = isTerminal
    }

    package func show(_ step: MasterSync.Step) {
        switch step {
        case .downloading(let file, let received, let expected):
            guard isTerminal else { return once("downloading \(file)") }
            draw("\(file) \(Self.bar(received, expected))", always: received == expected)
        case .reading(let file):
            if isTerminal { draw("reading \(file)", always: true) } else { once("reading \(file)") }
        case .rows(let count): if isTerminal { draw("\(count) instruments", always: false) }
        }
    }

    /// Clears the moving line.
    package func end() { if isTerminal { Self.write("\r\u{1B}[2K") } }

    /// `[########............] 12.3 of 20.1 MB`.
    static func bar(_ received: Int, _ expected: Int?) -> String {
        let size = String(format: "%.1f", Double(received) / 1e6)
        guard let expected, expected > 0 else { return "\(size) MB" }
        let full = min(20, received * 20 / expected)
        let bar = String(repeating: "#", count: full) + String(repeating: ".", count: 20 - full)
        return "[\(bar)] \(size) of \(String(format: "%.1f", Double(expected) / 1e6)) MB"
    }

    private func once(_ text: String) {
        let isNew = state.withLock { state in
            defer { state.file = text }
            return state.file != text
        }
        if isNew { Self.write("\(broker): \(text)\n") }
    }

    private func draw(_ text: String, always: Bool) {
        let isDue = state.withLock { state in
            // Ten pictures a second are enough for an eye.
            guard always || ContinuousClock.now - state.drawn > .milliseconds(100) else { return false }
            state.drawn = ContinuousClock.now
            return true
        }
        if isDue { Self.write("\r\u{1B}[2K\(broker): \(text)") }
    }

    private static func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
