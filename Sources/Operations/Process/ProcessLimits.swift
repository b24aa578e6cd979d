import Glibc
import Logging

/// What the process asks of the system before it starts.
package enum ProcessLimits {
    /// Makes a write to a closed pipe or socket an error instead of a signal. Before the first line of the log: it may go
    /// into a pipe that nobody reads.
    package static func ignoreClosedPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Descriptors that a host takes to start and to serve a few clients; each event loop and each listener takes more.
    /// (33 with one user on the simulator; 32 are kept back for brokers when clients have taken all others.)
    private static let needed = 96
    private static let neededForLoop = 5

    /// Raises the number of descriptors as far as it goes.
    /// - Throws: ``StartError`` when that is not enough: libzmq ends the whole process when it gets none.
    package static func prepare(eventLoops: Int, listeners: Int, _ logger: Logger) throws {
        MemoryReturn.ofLargePieces()
        var files = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &files) == 0 else { return }
        files.rlim_cur = files.rlim_max
        setrlimit(resource, &files)
        guard let (limit, needed) = descriptors(eventLoops: eventLoops, listeners: listeners) else { return }
        guard limit >= needed else {
            throw StartError(
                "This process may open only \(limit) files and sockets, and the host needs \(needed) to start. Raise the limit: LimitNOFILE= in the systemd service, `ulimit -n 4096` in the shell, --ulimit nofile= of a container."
            )
        }
        if limit < 4096 {
            logger.notice(
                "this process may open only \(limit) files and sockets; raise it with `ulimit -Hn` for many clients")
        }
    }

    /// How many descriptors this process may have when it has raised its limit, and how many a host takes.
    package static func descriptors(eventLoops: Int, listeners: Int) -> (limit: Int, needed: Int)? {
        var files = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 else { return nil }
        let limit = Int(clamping: files.rlim_max)
        return (limit, needed + neededForLoop * eventLoops + listeners + inherited(limit))
    }

    /// Descriptors that are open already.
    private static func inherited(_ limit: Int) -> Int {
        (0..<Int32(clamping: min(limit, 1024))).reduce(0) { $0 + (fcntl($1, F_GETFD) >= 0 ? 1 : 0) }
    }
}
