import CFeedhostABI
import Glibc

/// The other end of the probe: this binary, started again to open one file.
enum ProbeChild {
    /// The descriptor that the answer goes to; the standard ones belong to whatever the file prints.
    static let answer: Int32 = 3
    /// Ends the child should its parent be gone; the parent's own limit is shorter.
    private static let lastResort: UInt32 = 10

    /// - Parameter arguments: The path and the token.
    static func run(_ arguments: [String]) -> Never {
        guard arguments.count == 2, fcntl(answer, F_GETFD) >= 0 else {
            write("feedhost: plugin-probe is run by feedhost itself\n", to: STDERR_FILENO)
            _exit(64)
        }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        alarm(lastResort)
        closeOthers()
        write(ProbeMessage.ready, to: answer)
        let (path, token) = (arguments[0], arguments[1])
        do throws(PluginRefusal) {
            report(try PluginLibrary.open(path), token: token)
        } catch {
            write(ProbeMessage(token: token, facts: nil, refusal: error).line(), to: answer)
        }
        // Not exit(): destructors of a file that is only being looked at are none of our business.
        _exit(0)
    }

    /// Says what was found, and then what the adapters say without an instance. One that follows the null pointer crashes
    /// here, after the file has passed: it has no instrument master and no accounts, and works otherwise.
    private static func report(_ entry: CheckedEntry, token: String) {
        var facts = entry.facts
        facts.providers = Set(entry.brokers.filter { !$0.description.servesBroker }.map(\.description.id))
        let (masters, providers) = (entry.possibleMasters, entry.possibleProviders)
        say(facts, isLast: providers.isEmpty, token)
        guard !providers.isEmpty else { return }
        facts.masters = ids(masters, knowing: "feedhost.instruments/1")
        say(facts, isLast: false, token)
        facts.providers.formUnion(ids(providers, knowing: ExtensionID.accounts))
        say(facts, isLast: true, token)
    }

    private static func ids(_ brokers: [CheckedEntry.Broker], knowing id: String) -> Set<String> {
        Set(brokers.filter { $0.table.pointee.extension?(nil, id) != nil }.map(\.description.id))
    }

    private static func say(_ facts: PluginFacts, isLast: Bool, _ token: String) {
        write(ProbeMessage(token: token, facts: facts, isLast: isLast, refusal: nil).line(), to: answer)
    }

    /// Whatever else the host had open is none of the file's business.
    private static func closeOthers() {
        guard let stream = opendir("/proc/self/fd") else { return }
        var others: [Int32] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let file = Int32(name), file > answer { others.append(file) }
        }
        closedir(stream)
        for file in others { close(file) }
    }

    private static func write(_ text: String, to file: Int32) { write(Array(text.utf8), to: file) }

    private static func write(_ bytes: [UInt8], to file: Int32) {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count, let base = buffer.baseAddress {
                let count = Glibc.write(file, base + done, buffer.count - done)
                if count > 0 { done += count } else if errno != EINTR { return }
            }
        }
    }
}
