import Logging
import MarketData

/// Writes the stats file every 10 seconds, and says in the log when something was dropped.
package struct Reporter: Sendable {
    /// Where the stats file is to be.
    package struct Place: Sendable {
        let path: String
        /// Asked for: then a missing folder is an error, otherwise the file is left out.
        let isExplicit: Bool

        package init(path: String, isExplicit: Bool) {
            self.path = path
            self.isExplicit = isExplicit
        }
    }

    private let place: Place
    private let sources: [any SampleSource]
    private let stuckAdapters: @Sendable () async -> [String: Int]
    private let logger: Logger

    /// - Parameter stuckAdapters: Brokers whose adapter has not come back from a call, with the milliseconds that it has been
    ///   in it.
    package init(
        _ place: Place, sources: [any SampleSource], stuckAdapters: @escaping @Sendable () async -> [String: Int],
        logger: Logger
    ) {
        self.place = place
        self.sources = sources
        self.stuckAdapters = stuckAdapters
        self.logger = logger
    }

    /// Runs both watches until the task is cancelled.
    package func run() async {
        async let adapters: Void = watchAdapters()
        await report()
        await adapters
    }

    private func watchAdapters() async {
        var watch = AdapterWatch()
        while !Task.isCancelled {
            for line in watch.look(await stuckAdapters()) { logger.error("\(line)") }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func report() async {
        let file = StatsFile(path: place.path)
        let writes = place.isExplicit || file.hasFolder
        var isFailing = false
        var losses = LossWatch()
        var memory = MemoryReturn()
        while !Task.isCancelled {
            let figures = await figures()
            memory.look(size: figures.clients + figures.streams)
            if writes {
                do {
                    try file.write(figures)
                    isFailing = false
                } catch {
                    // Said once: a full disk would otherwise be told to a full disk.
                    if !isFailing {
                        logger.warning("the stats file \(place.path) \(error)")
                    }
                    isFailing = true
                }
            }
            for line in losses.look(figures) { logger.notice("\(line)") }
            try? await Task.sleep(for: .seconds(10))
        }
    }

    func figures() async -> Figures {
        var samples: [Sample] = []
        for source in sources { samples += await source.samples() }
        return Figures(samples)
    }
}
