/// What the registry knows, as a value: it is worked out aside and then put in place at once.
struct RegistryState: Sendable {
    let rules: ConflictRules
    /// Every `*.so`, by search order and name.
    private(set) var files: [ExaminedFile] = []
    /// Lines of the list that are about no `*.so`.
    var others: [PluginRecord] = []
    /// What is used, by broker; plugins that provide accounts alone are here too, by the name of their settings.
    private(set) var adapters: [String: LoadedAdapter] = [:]
    private var verdicts: [ConflictRules.Claim: ConflictRules.Verdict] = [:]
    /// Mapped files by path: all their brokers, whether they serve or not.
    private var mapped: [String: Result<[LoadedAdapter], PluginRefusal>] = [:]

    init(rules: ConflictRules) { self.rules = rules }

    /// Adds files, replacing what was known about the same paths, and loads those that now serve.
    mutating func add(_ found: [ExaminedFile]) {
        for file in found {
            files.removeAll { $0.path == file.path }
            // A file that is loaded stays so, whatever replaces it on disk.
            if !adapters.values.contains(where: { $0.path == file.path }) { mapped[file.path] = nil }
            files.append(file)
        }
        files.sort { ($0.rank, $0.file) < ($1.rank, $1.file) }
        let serving = adapters.mapValues(\.path)
        verdicts = rules.resolve(files.flatMap(\.claims), serving: serving)
        for file in files {
            for claim in file.claims where verdicts[claim] == .serves && adapters[claim.broker] == nil {
                let brokers = (try? map(file).get()) ?? []
                adapters[claim.broker] = brokers.first { $0.broker == claim.broker }
            }
        }
    }

    func server(of broker: String) -> LoadedAdapter? {
        adapters[broker].flatMap { $0.description.servesBroker ? $0 : nil }
    }

    /// The list, in search order; a file that carries several brokers has a line for each.
    var report: [PluginRecord] {
        let lines = files.flatMap { file -> [PluginRecord] in
            switch file.result {
            case .failure(let refusal):
                return [
                    PluginRecord(folder: file.folder, file: file.file, state: refusal.state, reason: refusal.reason)
                ]
            case .success(let facts):
                return facts.brokers.map { record(file, facts: facts, broker: $0) }
            }
        }
        return lines + others
    }

    /// Why a broker is not served, by the files that claim it or bear its name.
    func reason(broker: String, names: [String]) -> String? {
        let lines = report.filter { $0.state != .loaded && ($0.broker == broker || names.contains($0.file)) }
        return lines.first.map { "\($0.path): \($0.reason ?? $0.state.rawValue)" }
    }

    private func record(_ file: ExaminedFile, facts: PluginFacts, broker: BrokerDescription) -> PluginRecord {
        let claim = file.claim(broker)
        let (state, reason): (PluginState, String?) =
            switch (verdicts[claim], mapped[file.path]) {
            case (.not(let state, let reason), _): (state, reason)
            case (.serves, .failure(let refusal)): (refusal.state, refusal.reason)
            case (.serves, .success): (.loaded, nil)
            default: (.refused, "was not looked at")
            }
        return PluginRecord(
            folder: file.folder, file: file.file, state: state, reason: reason, abi: facts.abi, broker: broker,
            hasAccounts: facts.providers.contains(broker.id))
    }

    private mutating func map(_ file: ExaminedFile) -> Result<[LoadedAdapter], PluginRefusal> {
        if let known = mapped[file.path] { return known }
        let result = Result { () throws(PluginRefusal) in try Self.load(file) }
        mapped[file.path] = result
        return result
    }

    private static func load(_ file: ExaminedFile) throws(PluginRefusal) -> [LoadedAdapter] {
        guard let identity = file.identity, FileIdentity(path: file.realPath) == identity else {
            throw PluginRefusal("changed while it was looked at; start again")
        }
        let entry = try PluginLibrary.open(file.realPath)
        guard case .success(let facts) = file.result, facts.abi == entry.abi, facts.brokers == entry.facts.brokers
        else {
            throw PluginRefusal("says something else about itself here than in the probe")
        }
        return entry.brokers.map {
            LoadedAdapter(
                description: $0.description, table: $0.table, abi: entry.abi, path: file.path,
                hasMaster: facts.masters.contains($0.description.id),
                hasAccounts: facts.providers.contains($0.description.id))
        }
    }
}
