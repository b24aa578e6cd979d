import Logging
import MarketData
import Synchronization

/// The masters of all brokers in memory, kept up with the store. Any thread.
///
/// Whoever looks up holds a lock for as long as it takes to copy a reference, never while something is loaded: a new
/// master is built aside and then put in the old one's place.
///
/// ```swift
/// let catalog = InstrumentCatalog(path: MasterStore.path(beside: settings.store), logger: logger)
/// await catalog.load()
/// Task { await catalog.run() }
/// ```
public final class InstrumentCatalog: InstrumentDirectory {
    private struct Loaded {
        let sync: Int64
        let index: InstrumentIndex
    }

    private let loaded = Mutex<[String: Loaded]>([:])
    private let watch: StoreWatch
    private let logger: Logger

    /// - Parameter path: Of a ``MasterStore``'s file, which may come later.
    public init(path: String, logger: Logger) {
        watch = StoreWatch(path: path)
        self.logger = logger
    }

    /// Loads whatever is stored. A store that cannot be read is said in the log, and looked at again by
    /// ``run(every:clock:)``.
    public func load() async { await look() }

    /// Looks for new masters until the task is cancelled.
    public func run(every interval: Duration = .seconds(1), clock: some Clock<Duration> = ContinuousClock()) async {
        while !Task.isCancelled {
            do { try await clock.sleep(for: interval) } catch { break }
            await look()
        }
        await watch.close()
    }

    /// Looks once, now.
    func look() async {
        let known = loaded.withLock { $0.mapValues(\.sync) }
        switch await watch.look(known: known) {
        case .nothing: break
        case .trouble(let sentence): logger.warning("\(sentence)")
        case .news(let found):
            loaded.withLock { loaded in
                loaded = loaded.filter { found.current[$0.key] != nil }
                for (record, index) in found.loaded { loaded[record.broker] = Loaded(sync: record.sync, index: index) }
            }
            for (record, _) in found.loaded {
                logger.info("\(record.rows) instruments of \(record.broker) are loaded (\(record.source))")
            }
        }
    }

    // MARK: InstrumentDirectory

    public func count(broker: String) -> Int? { index(broker)?.count }

    public func listing(of instrument: Instrument, broker: String) -> Listing? {
        index(broker)?.listing(of: instrument)
    }

    public func instrument(broker: String, brokerExchange: String, brokerToken: String) -> Instrument? {
        index(broker)?.instrument(brokerExchange: brokerExchange, brokerToken: brokerToken)
    }

    public func instrument(broker: String, brokerExchange: String, brokerSymbol: String) -> Instrument? {
        index(broker)?.instrument(brokerExchange: brokerExchange, brokerSymbol: brokerSymbol)
    }

    public func nearMatches(_ instrument: Instrument, broker: String, limit: Int) -> [Instrument] {
        index(broker)?.nearMatches(instrument, limit: limit) ?? []
    }

    private func index(_ broker: String) -> InstrumentIndex? { loaded.withLock { $0[broker]?.index } }
}
