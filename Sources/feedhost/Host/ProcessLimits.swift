import Glibc
import Logging

/// What the process asks of the system before it starts.
enum ProcessLimits {
    /// Makes a write to a closed pipe or socket an error instead of a signal. Before the first line of the log: it may go
    /// into a pipe that nobody reads.
    static func ignoreClosedPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Has large pieces of memory given back when they are freed, the rings of sessions that have ended (4 MiB each) among
    /// them. By itself glibc takes such pieces from its heap, which rarely shrinks, once it has had one back.
    private static func giveMemoryBack() {
        typealias Option = @convention(c) (Int32, Int32) -> Int32
        // mallopt(3), M_MMAP_THRESHOLD in malloc.h; other C libraries have no such call.
        guard let mallopt = dlsym(nil, "mallopt").map({ unsafeBitCast($0, to: Option.self) }) else { return }
        _ = mallopt(-3, 1 << 20)
    }

    /// Raises the number of descriptors as far as it goes.
    static func prepare(_ logger: Logger) {
        giveMemoryBack()
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
