import Dispatch
import GRDB

/// Sees what other processes, or this one, write to the store. It polls, as SQLite has no message for that, on a
/// connection of its own: `PRAGMA data_version` changes for writes of *other* connections only, and costs microseconds.
actor StoreWatch {
    /// What a look has found.
    enum Outcome: Sendable {
        case nothing
        case news(News)
        /// A sentence for the log; each trouble is told once.
        case trouble(String)
    }

    struct News: Sendable {
        /// Brokers in the store with the numbers of their syncs.
        var current: [String: Int64] = [:]
        /// Those that are new.
        var loaded: [(record: MasterRecord, index: InstrumentIndex)] = []
    }

    private let path: String
    private let lane = DispatchQueue(label: "feedhost.instruments.watch", qos: .utility)
    private var queue: DatabaseQueue?
    /// The file that is open.
    private var identity: StoreFolder.Identity?
    /// The file that what is loaded came from; numbers of syncs begin anew in another one.
    private var origin: StoreFolder.Identity?
    private var version: Int64?
    private var trouble: String?
    private var isLooking = false

    init(path: String) { self.path = path }

    func close() {
        try? queue?.close()
        queue = nil
        version = nil
    }

    /// - Parameter known: Brokers that are loaded with the numbers of their syncs.
    func look(known: [String: Int64]) async -> Outcome {
        // Loading takes longer than the time between two looks.
        guard !isLooking else { return .nothing }
        isLooking = true
        defer { isLooking = false }
        guard let found = StoreFolder.Identity(path: path) else {
            close()
            // The next one may even have the same inode.
            origin = nil
            return .nothing
        }
        do {
            if found != identity || queue == nil {
                close()
                queue = try MasterStore.open(path, busySeconds: 1)
                identity = found
            }
            guard let queue else { return .nothing }
            let (current, news) = try await Self.read(
                queue, on: lane, path: path, since: version, known: found == origin ? known : [:])
            version = current
            origin = found
            trouble = nil
            return news.map { .news($0) } ?? .nothing
        } catch {
            close()
            // Whoever writes will be done: the next look is a second away.
            if (error as? MasterError)?.code == .busy { return .nothing }
            origin = nil
            guard trouble != "\(error)" else { return .nothing }
            trouble = "\(error)"
            return .trouble("\(error)")
        }
    }

    /// Off the pool of Swift's tasks: loading a master takes a good part of a second.
    private static func read(
        _ queue: DatabaseQueue, on lane: DispatchQueue, path: String, since version: Int64?, known: [String: Int64]
    ) async throws -> (Int64, News?) {
        try await withCheckedThrowingContinuation { continuation in
            lane.async {
                continuation.resume(
                    with: Result {
                        try MasterError.translating(path) {
                            // The number first: what is written in between shows again at the next look.
                            let current = try queue.inDatabase {
                                try Int64.fetchOne($0, sql: "PRAGMA data_version") ?? 0
                            }
                            guard current != version else { return (current, nil) }
                            return (current, try queue.read { try news($0, known) })
                        }
                    })
            }
        }
    }

    private static func news(_ db: Database, _ known: [String: Int64]) throws -> News {
        var news = News()
        for record in try MasterStore.records(db) {
            news.current[record.broker] = record.sync
            guard known[record.broker] != record.sync else { continue }
            news.loaded.append((record, try MasterStore.index(db, record)))
        }
        return news
    }
}
