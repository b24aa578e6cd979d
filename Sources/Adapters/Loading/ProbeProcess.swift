import Glibc

/// One running probe: a child process and the pipe it answers on.
struct ProbeProcess {
    /// How the child ended, or that it still runs.
    enum End: Equatable {
        case exited(Int32)
        case signalled(Int32)
        /// Somebody else reaped it.
        case unknown
    }

    let pid: pid_t
    let pipe: Int32
    let token: String
    private(set) var received: [UInt8] = []
    private(set) var isReady = false
    /// True when every holder of the other end is gone.
    private(set) var isClosed = false

    /// Starts the child.
    static func start(executable: String, path: String, environment: [String]) throws(PluginRefusal) -> ProbeProcess {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw unavailable(errno) }
        defer { close(ends[1]) }
        // Should another thread spawn in between, its child holds the pipe open; the end is learnt from waitpid anyway.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], ProbeChild.answer)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that what a constructor forks can be ended with it; signals as in a fresh process.
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let token = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()
        var pid: pid_t = 0
        let code = withCStrings(["feedhost", PluginProbe.command, path, token]) { arguments in
            withCStrings(environment) { environment in
                posix_spawn(&pid, executable, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else {
            close(ends[0])
            throw unavailable(code)
        }
        return ProbeProcess(pid: pid, pipe: ends[0], token: token)
    }

    private init(pid: pid_t, pipe: Int32, token: String) {
        self.pid = pid
        self.pipe = pipe
        self.token = token
    }

    /// Reads what has come, without waiting.
    mutating func receive() {
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while !isClosed {
            let count = read(pipe, &chunk, chunk.count)
            if count > 0 {
                received.append(contentsOf: chunk.prefix(min(count, max(0, ProbeMessage.limit - received.count))))
            } else if count == 0 {
                isClosed = true
            } else if errno != EINTR {
                break
            }
        }
        isReady = isReady || received.starts(with: ProbeMessage.ready)
    }

    /// How the child ended; nil while it runs.
    func reap() -> End? {
        var status: Int32 = 0
        let result = waitpid(pid, &status, WNOHANG)
        if result == 0 { return nil }
        return result == pid ? Self.end(status) : .unknown
    }

    /// Ends the child and all that it started.
    func kill() {
        Glibc.kill(-pid, SIGKILL)
        Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    private static func end(_ status: Int32) -> End {
        let signal = status & 0x7F
        return signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    }

    private static func unavailable(_ code: Int32) -> PluginRefusal {
        PluginRefusal("could not be probed: \(String(cString: strerror(code)))")
    }
}

/// Lends a NULL-terminated array of C strings.
private func withCStrings<R>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
    let copies = texts.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    return body(copies + [nil])
}
