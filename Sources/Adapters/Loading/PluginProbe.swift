import Glibc
import Synchronization

/// Opens unknown files in a child process first: constructors run before any check can, and one that crashes, hangs or
/// ends its process costs the host nothing there. The child is this binary spawned again, never a bare fork.
///
/// What was found out is remembered until the file changes. Any thread; the calls block.
public final class PluginProbe: Sendable {
    /// The hidden first argument that makes this binary a probe.
    public static let command = "plugin-probe"

    /// The child's life. The executable calls this first thing when its first argument is ``command``.
    /// - Parameter arguments: Those after ``command``.
    public static func runChild(arguments: [String]) -> Never { ProbeChild.run(arguments) }

    /// A file to probe.
    struct Request: Hashable {
        /// Without symbolic links.
        let path: String
        let identity: FileIdentity
    }

    private let executable: String
    private let limit: Duration
    private let width: Int
    private let environment: [String]
    private let remembered = Mutex<[Request: Result<PluginFacts, PluginRefusal>]>([:])

    /// - Parameters:
    ///   - executable: What is spawned; this very binary unless a test says otherwise.
    ///   - limit: How long a file may take to open.
    ///   - width: Children at once; nil for one more than there are cores.
    ///   - environment: Only what the loader needs is passed on: a plugin under suspicion gets no secrets.
    public init(
        executable: String = "/proc/self/exe", limit: Duration = .seconds(1), width: Int? = nil,
        environment: [String: String]
    ) {
        self.executable = executable
        self.limit = limit
        self.width = max(1, width ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)) + 1)
        let passed = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD", "ASAN_OPTIONS", "TSAN_OPTIONS"]
        let kept = passed.compactMap { name in environment[name].map { "\(name)=\($0)" } }
        // A backtrace takes 215 ms of a crash, and nobody reads this one.
        self.environment = kept + ["SWIFT_BACKTRACE=enable=no", "LC_ALL=C"]
    }

    /// Probes those that are not remembered, several at once.
    /// - Returns: An answer for each request.
    func probe(_ requests: [Request]) -> [Request: Result<PluginFacts, PluginRefusal>] {
        var answers = remembered.withLock { known in
            Dictionary(uniqueKeysWithValues: Set(requests).compactMap { key in known[key].map { (key, $0) } })
        }
        var waiting = Array(Set(requests.filter { answers[$0] == nil })).sorted { $0.path > $1.path }
        guard !waiting.isEmpty else { return answers }
        var run = ProbeRun(limit: limit)
        while !waiting.isEmpty || !run.isEmpty {
            while run.count < width, let request = waiting.popLast() {
                do throws(PluginRefusal) {
                    let process = try ProbeProcess.start(
                        executable: executable, path: request.path, environment: environment)
                    run.add(process, for: request)
                } catch {
                    answers[request] = .failure(error)
                }
            }
            for (request, answer) in run.step() {
                answers[request] = answer.result
                // A fault of the machine, and not of the file, is not held against the file.
                if answer.isFinal { remembered.withLock { $0[request] = answer.result } }
            }
        }
        return answers
    }
}
