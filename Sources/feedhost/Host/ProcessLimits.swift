import Glibc
import Logging

/// What the process asks of the system before it starts.
enum ProcessLimits {
    /// Raises the number of descriptors as far as it goes, turns core dumps off (they would hold credentials), and makes
    /// a write to a closed socket an error instead of a signal.
    static func prepare(_ logger: Logger) {
        signal(SIGPIPE, SIG_IGN)
        var core = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core)
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
