import Foundation
import Synchronization

/// SIGHUP, which says one of two things: the terminal that the host was started from is gone, or somebody wants the settings
/// read again.
package struct Hangup: Sendable {
    package enum Meaning: Sendable { case end, readAgain }

    /// One for all signals that have come while nobody looked.
    package let signals: AsyncStream<Void>
    /// Under `nohup`, or without a terminal, the loss of one means nothing.
    private let endsWithTerminal: Bool
    /// Kept alive, and never touched again.
    nonisolated(unsafe) private let source: any DispatchSourceRead

    /// The end of the pipe that the handler writes to; a handler may do little else.
    private static let writer = Atomic<Int32>(-1)

    /// From here on SIGHUP ends nothing by itself. Call it once, as early as can be.
    /// - Returns: Nil without a descriptor left; then SIGHUP is ignored.
    package static func prepare() -> Hangup? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            _ = signal(SIGHUP, SIG_IGN)
            return nil
        }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        writer.store(ends[1], ordering: .sequentiallyConsistent)
        var (action, before) = (sigaction(), sigaction())
        action.__sigaction_handler.sa_handler = { _ in
            let code = errno
            var byte: UInt8 = 1
            _ = write(Hangup.writer.load(ordering: .relaxed), &byte, 1)
            errno = code
        }
        action.sa_flags = SA_RESTART
        sigaction(SIGHUP, &action, &before)
        let wasIgnored = unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
        return Hangup(reader: ends[0], endsWithTerminal: !wasIgnored && hasTerminal)
    }

    private init(reader: Int32, endsWithTerminal: Bool) {
        self.endsWithTerminal = endsWithTerminal
        let (signals, told) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.signals = signals
        let source = DispatchSource.makeReadSource(fileDescriptor: reader, queue: .global(qos: .utility))
        source.setEventHandler {
            var bytes = [UInt8](repeating: 0, count: 64)
            while read(reader, &bytes, bytes.count) > 0 {}
            told.yield()
        }
        source.activate()
        self.source = source
    }

    /// What the latest signal says.
    package var meaning: Meaning { endsWithTerminal && !Self.hasTerminal ? .end : .readAgain }

    /// Whether this process has a controlling terminal now.
    private static var hasTerminal: Bool {
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }
}
