import Glibc
import Logging

/// What the process asks of the system before it starts.
enum ProcessLimits {
    /// Makes a write to a closed pipe or socket an error instead of a signal. Before the first line of the log: it may go
    /// into a pipe that nobody reads.
    static func ignoreClosedPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Raises the number of descriptors as far as it goes.
    static func prepare(_ logger: Logger) {
        MemoryReturn.ofLargePieces()
        var files = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &files) == 0 else { return }
        files.rlim_cur = files.rlim_max
        setrlimit(resource, &files)
        if files.rlim_cur < 4096 {
            logger.notice(
                "this process may open only \(files.rlim_cur) files and sockets; raise it with `ulimit -Hn` for many clients"
            )
        }
    }
}
