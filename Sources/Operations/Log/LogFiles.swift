import Foundation
import Glibc
import Synchronization

/// Log lines in a folder, a file a day (UTC, as the lines' own times), the old ones removed: OpenAlgo's `LOG_TO_FILE`.
///
/// A line that cannot be written is on standard error all the same, so trouble is said there, once.
package final class LogFiles: Sendable {
    private struct State {
        var day = ""
        var descriptor: Int32 = -1
        var size = 0
        var isTroubled = false
    }

    /// Bytes of one day: something that repeats itself must not fill the disk.
    private let largest: Int
    private let folder: String
    private let retentionDays: Int
    private let state = Mutex(State())
    private static let prefix = "feedhost_"
    private static let suffix = ".log"

    /// Makes nothing yet.
    package init(folder: String, retentionDays: Int, largest: Int = 256 << 20) {
        self.folder = folder
        self.retentionDays = retentionDays
        self.largest = largest
    }

    deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

    /// - Parameters:
    ///   - line: With its end.
    ///   - day: As `2026-11-29`.
    /// - Returns: What went wrong, the first time.
    func write(_ line: [UInt8], day: String) -> String? {
        state.withLock { state in
            if state.day != day { begin(day, &state) }
            guard state.descriptor >= 0 else { return trouble("cannot be opened", errno, &state) }
            guard state.size + line.count <= largest else {
                return trouble("has grown to \(largest >> 20) MiB and is left at that until tomorrow", 0, &state)
            }
            let written = line.withUnsafeBytes { Glibc.write(state.descriptor, $0.baseAddress, $0.count) }
            guard written == line.count else { return trouble("cannot be written", errno, &state) }
            state.size += written
            return nil
        }
    }

    /// Opens the file anew with the next line.
    func reopen() { state.withLock { $0.day = "" } }

    private func begin(_ day: String, _ state: inout State) {
        if state.descriptor >= 0 { close(state.descriptor) }
        state = State()
        state.day = day
        mkdir(folder, 0o750)
        removeOld(before: day)
        state.descriptor = open(path(day), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o640)
        var status = stat()
        if state.descriptor >= 0, fstat(state.descriptor, &status) == 0 { state.size = Int(status.st_size) }
    }

    private func trouble(_ what: String, _ code: Int32, _ state: inout State) -> String? {
        guard !state.isTroubled else { return nil }
        state.isTroubled = true
        let why = code == 0 ? "" : " (\(String(cString: strerror(code))))"
        return "the log file \(path(state.day)) \(what)\(why); log lines go on here"
    }

    private func path(_ day: String) -> String { "\(folder)/\(Self.prefix)\(day)\(Self.suffix)" }

    /// Our own files alone: OpenAlgo's lie in the same folder.
    private func removeOld(before day: String) {
        guard let first = Self.day(retentionDays, before: day) else { return }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard name.hasPrefix(Self.prefix), name.hasSuffix(Self.suffix) else { continue }
            let written = name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)
            // Days as they are written compare as days.
            guard (try? Date(String(written), strategy: Self.style)) != nil, written < first else { continue }
            unlink("\(folder)/\(name)")
        }
    }

    private static func day(_ count: Int, before day: String) -> String? {
        guard let date = try? Date(day, strategy: style) else { return nil }
        return date.addingTimeInterval(-86_400 * Double(count)).formatted(style)
    }

    private static let style = Date.ISO8601FormatStyle().year().month().day()
}
