import Synchronization

/// The brokers that this process can serve, and why the other files cannot. Any thread.
public final class AdapterRegistry: Sendable {
    /// What to scan and which of it to use.
    public struct Options: Sendable {
        /// In search order; see ``PluginSearch``.
        public var folders: [PluginFolder]
        /// The valid brokers; nil for all.
        public var allowed: Set<String>?
        /// Broker → file name: which of several files serves it.
        public var pins: [String: String]

        public init(folders: [PluginFolder], allowed: Set<String>? = nil, pins: [String: String] = [:]) {
            self.folders = folders
            self.allowed = allowed
            self.pins = pins
        }
    }

    /// Where it was looked, in search order, whether there is such a folder or not.
    public let folders: [PluginFolder]
    private let rules: ConflictRules
    private let examination: PluginExamination
    private let state: Mutex<RegistryState>
    /// Held for a whole look-up, so that no file is probed twice at once; ``state`` is never held for long.
    private let lookingUp = Mutex(())

    /// Looks at every file in every folder. Blocks: a few milliseconds for each file, a second for files that hang.
    public static func scan(_ options: Options, probe: PluginProbe) -> AdapterRegistry {
        AdapterRegistry(options, examination: PluginExamination(probe: probe))
    }

    init(_ options: Options, examination: PluginExamination) {
        folders = options.folders
        rules = ConflictRules(allowed: options.allowed, pins: options.pins)
        self.examination = examination
        var state = RegistryState(rules: rules)
        var candidates: [PluginExamination.Candidate] = []
        for (rank, folder) in options.folders.enumerated() {
            do throws(PluginRefusal) {
                guard let listing = try FolderListing.read(folder.path) else {
                    guard folder.isExplicit else { continue }
                    throw PluginRefusal("the folder does not exist")
                }
                candidates += listing.candidates.map { .init(folder: folder.path, file: $0, rank: rank) }
                state.others += listing.others.map {
                    PluginRecord(
                        folder: folder.path, file: $0, state: .ignored, reason: "its name does not end in .so")
                }
            } catch {
                state.others.append(
                    PluginRecord(folder: folder.path, file: "", state: error.state, reason: error.reason))
            }
        }
        state.add(examination.examine(candidates))
        self.state = Mutex(state)
    }

    /// Brokers with an adapter, sorted.
    public var brokers: [String] { loaded.filter(\.description.servesBroker).map(\.broker) }

    /// All plugins in use, those that provide accounts alone among them; by broker or the name of their settings.
    public var loaded: [LoadedAdapter] {
        state.withLock { $0.adapters.sorted { $0.key < $1.key }.map(\.value) }
    }

    /// Everything that was seen, for `feedhost plugins list`.
    public var report: [PluginRecord] { state.withLock(\.report) }

    /// The adapter of a broker, if it is loaded.
    public func adapter(_ broker: String) -> LoadedAdapter? { state.withLock { $0.server(of: broker) } }

    /// The adapter of a broker; if there is none, files that bear its name and came later are tried. Then it blocks, as
    /// ``scan(_:probe:)`` does: not for event loops.
    /// - Returns: The adapter, or a sentence that says why there is none.
    public func find(_ broker: String) -> Result<LoadedAdapter, PluginRefusal> {
        if let adapter = adapter(broker) { return .success(adapter) }
        // The name becomes a path: what is no broker key never gets there.
        guard !broker.isEmpty, broker.utf8.count <= 32, broker.utf8.allSatisfy(BorrowedText.isKeyByte) else {
            return .failure(PluginRefusal("there is no adapter: that is no broker's name"))
        }
        if let allowed = rules.allowed, !allowed.contains(broker) {
            return .failure(PluginRefusal("the list of valid brokers (VALID_BROKERS) leaves \(broker) out"))
        }
        let names = Self.fileNames(broker)
        return lookingUp.withLock { _ in
            var state = state.withLock { $0 }
            let found = newFiles(names, known: state.files)
            if !found.isEmpty {
                state.add(examination.examine(found))
                self.state.withLock { [state] in $0 = state }
            }
            if let adapter = state.server(of: broker) { return .success(adapter) }
            let reason = state.reason(broker: broker, names: names).map { " (\($0))" } ?? ""
            return .failure(PluginRefusal("there is no adapter for the broker \(broker)\(reason)"))
        }
    }

    /// `zerodha.so`, `libzerodha.so`, `libZerodha.so`.
    static func fileNames(_ broker: String) -> [String] {
        let capital = broker.prefix(1).uppercased() + broker.dropFirst()
        return ["\(broker).so", "lib\(broker).so", "lib\(capital).so"]
    }

    private func newFiles(_ names: [String], known: [ExaminedFile]) -> [PluginExamination.Candidate] {
        folders.enumerated().flatMap { rank, folder in
            names.compactMap { name -> PluginExamination.Candidate? in
                let path = "\(folder.path)/\(name)"
                guard let identity = FileIdentity(path: path),
                    known.first(where: { $0.path == path })?.identity != identity
                else { return nil }
                return PluginExamination.Candidate(folder: folder.path, file: name, rank: rank)
            }
        }
    }
}
