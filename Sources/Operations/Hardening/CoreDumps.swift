import Glibc
import Logging

/// Who may see the memory of this process, which holds credentials.
package enum CoreDumps {
    /// No core dump, neither as a file nor through a program such as systemd-coredump, and no debugger of the same user.
    /// `/proc/PID/environ` and `/proc/PID/mem` belong to root from then on.
    package static func forbid() {
        setSoftLimit { _ in 0 }
        Process.control(.dumpable, 0)
    }

    /// Takes ``forbid()`` back: somebody wants to debug.
    package static func allow() {
        setSoftLimit { $0 }
        Process.control(.dumpable, 1)
    }

    /// From now on nothing brings them back.
    package static func forbidForGood() {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    }

    private static func setSoftLimit(_ change: (rlim_t) -> rlim_t) {
        let resource = __rlimit_resource_t(RLIMIT_CORE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = change(limit.rlim_max)
        setrlimit(resource, &limit)
    }
}

/// What the process gives up for as long as it runs.
package enum Privileges {
    /// No program that is started from here gets more rights than this one has, whatever its file says (setuid). To be
    /// called before there is a second thread: each has this for itself, and hands it on to those that it starts.
    package static func giveUp() { Process.control(.noNewPrivileges, 1) }

    package static func warnOfRoot(_ logger: Logger) {
        if geteuid() == 0 {
            logger.warning("running as root, which nothing here needs; a user of its own limits what a flaw can do")
        }
    }
}

/// prctl(2).
private enum Process {
    /// As in linux/prctl.h.
    enum Option: Int32 {
        case dumpable = 4
        case noNewPrivileges = 38
    }

    private typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32

    // Swift does not import functions with `...`; this one takes its arguments in registers like any other.
    private static let function = dlsym(nil, "prctl").map { unsafeBitCast($0, to: Control.self) }

    static func control(_ option: Option, _ value: UInt) { _ = function?(option.rawValue, value, 0, 0, 0) }
}
