import Glibc

/// The probes that are under way, watched by one thread.
struct ProbeRun {
    struct Answer {
        let result: Result<PluginFacts, PluginRefusal>
        /// About the file, so that it can be remembered.
        let isFinal: Bool
    }

    private struct Running {
        let request: PluginProbe.Request
        var process: ProbeProcess
        var deadline: ContinuousClock.Instant
    }

    /// How long the child may take until it is ready to open the file; a loaded machine is not the file's fault.
    private static let startLimit = Duration.seconds(10)
    /// Children whose pipe says nothing about their end are looked at so often, in milliseconds.
    private static let pollInterval: Int32 = 5

    private let limit: Duration
    private var running: [Running] = []

    init(limit: Duration) { self.limit = limit }

    var isEmpty: Bool { running.isEmpty }
    var count: Int { running.count }

    mutating func add(_ process: ProbeProcess, for request: PluginProbe.Request) {
        running.append(Running(request: request, process: process, deadline: .now + Self.startLimit))
    }

    /// Waits a moment and returns what has been decided.
    mutating func step() -> [(PluginProbe.Request, Answer)] {
        wait()
        var decided: [(PluginProbe.Request, Answer)] = []
        var still: [Running] = []
        for var one in running {
            let wasReady = one.process.isReady
            // Reaped first, read afterwards: so nothing that it wrote before its end is missed.
            let end = one.process.reap()
            one.process.receive()
            if one.process.isReady, !wasReady { one.deadline = .now + limit }
            if let answer = answer(one, end: end) {
                close(one.process.pipe)
                decided.append((one.request, answer))
            } else {
                still.append(one)
            }
        }
        running = still
        return decided
    }

    private func wait() {
        var files = running.filter { !$0.process.isClosed }.map {
            pollfd(fd: $0.process.pipe, events: Int16(POLLIN), revents: 0)
        }
        poll(&files, nfds_t(files.count), Self.pollInterval)
    }

    private func answer(_ one: Running, end: ProbeProcess.End?) -> Answer? {
        let message = ProbeMessage.find(in: one.process.received, token: one.process.token)
        if let message, message.isLast || end != nil || ContinuousClock.now >= one.deadline {
            if end == nil { one.process.kill() }
            if let facts = message.facts { return Answer(result: .success(facts), isFinal: true) }
            let refusal = message.refusal ?? PluginRefusal("could not be probed: the answer makes no sense")
            return Answer(result: .failure(refusal), isFinal: true)
        }
        if let end {
            let reason = one.process.isReady ? describe(end) : "could not be probed: the probe itself \(describe(end))"
            return Answer(
                result: .failure(PluginRefusal(reason, state: one.process.isReady ? .quarantined : .refused)),
                isFinal: one.process.isReady)
        }
        guard ContinuousClock.now >= one.deadline else { return nil }
        one.process.kill()
        guard one.process.isReady else {
            return Answer(
                result: .failure(PluginRefusal("could not be probed: the probe did not start in time")), isFinal: false)
        }
        let milliseconds = Int(limit / .milliseconds(1))
        return Answer(
            result: .failure(
                PluginRefusal("timed out: it was still being opened after \(milliseconds) ms", state: .quarantined)),
            isFinal: true)
    }

    private func describe(_ end: ProbeProcess.End) -> String {
        switch end {
        case .exited(let status): "exited with status \(status) while it was opened"
        case .signalled(let signal): "crashed with \(SignalName.of(signal)) while it was opened"
        case .unknown: "ended while it was opened"
        }
    }
}

/// The names of the signals that end processes.
enum SignalName {
    private static let names: [Int32: String] = [
        SIGABRT: "SIGABRT", SIGALRM: "SIGALRM", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGHUP: "SIGHUP", SIGILL: "SIGILL",
        SIGINT: "SIGINT", SIGKILL: "SIGKILL", SIGPIPE: "SIGPIPE", SIGQUIT: "SIGQUIT", SIGSEGV: "SIGSEGV",
        SIGSYS: "SIGSYS", SIGTERM: "SIGTERM", SIGTRAP: "SIGTRAP", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
    ]

    static func of(_ signal: Int32) -> String { names[signal] ?? "signal \(signal)" }
}
