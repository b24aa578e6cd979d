import Foundation
import Synchronization

/// Where standard output goes.
struct Terminal: Sendable {
    struct Size: Sendable, Hashable {
        var columns: Int
        var lines: Int
    }

    /// Whether a picture can be drawn and drawn over: a terminal that is one, and says so.
    static var isDrawable: Bool {
        guard isatty(STDOUT_FILENO) == 1 else { return false }
        let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
        return !kind.isEmpty && kind != "dumb"
    }

    /// Now. It changes whenever somebody pulls at the window, so it is asked for each picture: that costs a microsecond, and
    /// no signal has to be waited for.
    static var size: Size {
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
        return Size(
            columns: side(isKnown ? Int(size.ws_col) : 0, "COLUMNS", 80),
            lines: side(isKnown ? Int(size.ws_row) : 0, "LINES", 24))
    }

    private static func side(_ told: Int, _ variable: String, _ usual: Int) -> Int {
        if told > 0 { return told }
        let said = ProcessInfo.processInfo.environment[variable].flatMap(Int.init) ?? 0
        return said > 0 ? said : usual
    }

    private static let wasStopped = Atomic<Bool>(false)

    /// Has ``takeWasStopped()`` know of Ctrl-Z and `fg`: a shell has written over the picture in between.
    static func watchStops() {
        // Made before the handler may need it.
        wasStopped.store(false, ordering: .relaxed)
        signal(SIGCONT) { _ in Terminal.wasStopped.store(true, ordering: .relaxed) }
    }

    /// - Returns: Whether the process was stopped since the last call.
    static func takeWasStopped() -> Bool { wasStopped.exchange(false, ordering: .relaxed) }
}
