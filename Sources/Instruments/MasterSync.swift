import Dispatch
import MarketData
import Secrets

/// Fetches a broker's master and puts it in the store: downloads or takes files, unpacks, has the adapter read them.
///
/// Nothing is written before every file is there, and the old rows stay until all new ones are stored.
public struct MasterSync: Sendable {
    /// How far it is.
    public enum Step: Sendable, Hashable {
        /// Bytes of a file so far, and those to expect if they are known.
        case downloading(file: String, received: Int, expected: Int?)
        /// The adapter reads a file.
        case reading(file: String)
        /// Rows handed over so far, in steps of some thousands.
        case rows(Int)
    }

    /// A file that is on this machine.
    public struct LocalFile: Sendable {
        /// Index into ``InstrumentMaster/files``.
        public let file: Int
        /// For messages.
        public let name: String
        /// Packed or not.
        public let bytes: [UInt8]

        public init(file: Int, name: String, bytes: [UInt8]) {
            self.file = file
            self.name = name
            self.bytes = bytes
        }
    }

    private let store: MasterStore
    /// Takes also what ``MasterJudgement`` would refuse.
    private let insist: Bool

    /// - Parameter insist: Takes what can be read of files that are doubted, and a master that has far fewer instruments.
    public init(store: MasterStore, insist: Bool = false) {
        self.store = store
        self.insist = insist
    }

    /// Downloads all files of a master and stores their rows.
    /// - Parameters:
    ///   - settings: The adapter's, defaults included.
    ///   - credentials: A user's at that broker; empty if there are none.
    /// - Throws: ``FeedError`` of the adapter or the download, or ``MasterError``; then nothing has changed.
    public func sync(
        _ master: any InstrumentMaster, over download: any MasterDownload, settings: [String: Secret],
        credentials: [String: Secret], progress: @escaping @Sendable (Step) -> Void = { _ in }
    ) async throws -> MasterRecord {
        // The adapter may take its time for each answer.
        let locations = try await Self.blocking {
            try master.files.indices.map {
                try master.locate($0, settings: settings, credentials: credentials)
            }
        }
        var files: [LocalFile] = []
        for (index, location) in locations.enumerated() {
            let name = master.files[index]
            progress(.downloading(file: name, received: 0, expected: nil))
            let bytes = try await download.bytes(at: location) {
                progress(.downloading(file: name, received: $0, expected: $1))
            }
            files.append(LocalFile(file: index, name: name, bytes: bytes))
        }
        let places = Set(locations.map { Self.place($0.url.revealed) }).sorted()
        return try await store(files, of: master, source: places.joined(separator: ", "), progress: progress)
    }

    /// Stores the rows of files that are on this machine, in the place of all that the broker had before.
    /// - Throws: As ``sync(_:over:settings:credentials:progress:)``.
    public func importing(
        _ files: [LocalFile], of master: any InstrumentMaster, progress: @escaping @Sendable (Step) -> Void = { _ in }
    ) async throws -> MasterRecord {
        try await store(files, of: master, source: files.map(\.name).joined(separator: ", "), progress: progress)
    }

    private func store(
        _ files: [LocalFile], of master: any InstrumentMaster, source: String,
        progress: @escaping @Sendable (Step) -> Void
    ) async throws -> MasterRecord {
        let before = try await store.records().first { $0.broker == master.broker }?.files ?? [:]
        return try await Self.blocking { [store, insist] in
            var counts: [String: Int] = [:]
            return try store.replace(broker: master.broker, source: source, insist: insist, files: { counts }) { add in
                var left = LeftOutRows()
                var doubts: [String] = []
                var rows = 0
                for file in files {
                    progress(.reading(file: file.name))
                    var report = MasterReport()
                    let first = rows
                    try PackedFile(name: file.name, bytes: file.bytes).forEachMember { member in
                        let text = try MasterText.utf8(member.bytes, name: file.name)
                        let said = try text.withUnsafeBytes { bytes in
                            try master.parse(file.file, bytes) { listing in
                                try add(listing)
                                rows += 1
                                if rows % 4096 == 0 { progress(.rows(rows)) }
                            }
                        }
                        report.leftOut.add(said.leftOut)
                        report.doubts += said.doubts
                    }
                    let name = master.files[file.file]
                    doubts += MasterJudgement.doubts(
                        file: file.name, rows: rows - first, report,
                        mayBeEmpty: files.count > 1 && before[name, default: 0] == 0)
                    counts[name, default: 0] += rows - first
                    left.add(report.leftOut)
                }
                progress(.rows(rows))
                if !insist, rows > 0, !doubts.isEmpty { throw MasterJudgement.refusal(doubts) }
                return left
            }
        }
    }

    /// Scheme, host and port: what may be shown of an address.
    static func place(_ url: String) -> String {
        guard let mark = url.firstRange(of: "://") else { return "the broker" }
        return String(url[..<(url[mark.upperBound...].firstIndex { "/?#".contains($0) } ?? url.endIndex)])
    }

    /// On a thread of its own: reading 60 MB takes seconds, and the pool of Swift's tasks has as many threads as cores.
    private static func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "feedhost.instruments.sync", qos: .utility).async {
                continuation.resume(with: Result { try body() })
            }
        }
    }
}
