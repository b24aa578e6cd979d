import Dispatch
import Logging
import MarketData

/// Takes OpenAlgo's instruments over into the store where all masters are, whenever OpenAlgo has loaded new ones.
package actor InstrumentMirror {
    private let source: any MirroredInstruments
    private let database: String
    private let path: String
    private let logger: Logger
    private var lastTrouble: String?

    /// - Parameters:
    ///   - database: Where the instruments are, as it is shown.
    ///   - path: Of the instrument store.
    package init(_ source: any MirroredInstruments, database: String, path: String, logger: Logger) {
        self.source = source
        self.database = database
        self.path = path
        self.logger = logger
    }

    /// Before the first client can ask for a symbol. Two looks: what still changes is not complete.
    package func start() async {
        await look()
        await look()
    }

    /// Looks until the task is cancelled.
    package func run(every interval: Duration = .seconds(1)) async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: interval) } catch { break }
            await look()
        }
        await source.close()
    }

    private func look() async {
        do {
            if let master = try await source.look() { try await take(master) }
            say(await source.obstacle.map { "OpenAlgo's instruments are not taken over: \($0)" })
        } catch {
            guard !Task.isCancelled else { return }
            await source.forget()
            say("OpenAlgo's instruments cannot be taken over: \(error)")
        }
    }

    private func take(_ master: MirroredMaster) async throws {
        let source = "\(database), symtoken \(master.fingerprint)"
        let store = try MasterStore(path: path)
        defer { store.close() }
        guard try await store.records().first(where: { $0.broker == master.broker })?.source != source else { return }
        let (rows, left) = try await self.source.listings()
        var counted = LeftOutRows()
        if left > 0 { counted.add("no instrument", .fault, count: left) }
        let leftOut = counted
        // Off the pool of Swift's tasks: writing 200,000 rows takes seconds.
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global(qos: .utility).async {
                continuation.resume(
                    with: Result {
                        // Whatever OpenAlgo has is what its clients know: nobody is there to insist.
                        _ = try store.replace(broker: master.broker, source: source, insist: true) { add in
                            for row in rows { try add(row) }
                            return leftOut
                        }
                    })
            }
        }
        logger.info("\(rows.count) instruments of \(master.broker) are taken over from OpenAlgo")
    }

    /// Each trouble once.
    private func say(_ trouble: String?) {
        if let trouble, trouble != lastTrouble { logger.warning("\(trouble)") }
        lastTrouble = trouble
    }
}
