import Logging
import MarketBus
import MarketData
import TestSupport

@testable import Adapters
@testable import Sessions

/// A pool whose adapters are scripted.
final class PoolFixture: Sendable {
    struct Adapters: AdapterSource {
        let loaded: [String: LoadedAdapter]
        var brokers: [String] { loaded.keys.sorted() }
        func adapter(_ broker: String) -> LoadedAdapter? { loaded[broker] }
        func find(_ broker: String) -> Result<LoadedAdapter, PluginRefusal> {
            loaded[broker].map { .success($0) } ?? .failure(PluginRefusal("there is no file"))
        }
    }

    let brokers: [String: ScriptedBroker]
    let bus: SharedPublisher
    let pool: SessionPool
    let vault = Vault()
    let lines = Journal<String>()
    let instruments = InstrumentHandles()

    init(_ names: [String], _ declared: Declared = Declared(), externalAs: String? = nil) throws {
        var brokers: [String: ScriptedBroker] = [:]
        var adapters: [String: LoadedAdapter] = [:]
        for name in names {
            let broker = ScriptedBroker("test.pool.\(name).\(UInt64.random(in: 0 ... .max))")
            brokers[name] = broker
            adapters[name] = declared.adapter(id: broker.id, broker: name)
        }
        self.brokers = brokers
        var configuration = BusConfiguration()
        configuration.port = .init(0, isExplicit: true)
        configuration.brokers = names
        configuration.ringCapacity = 1 << 16
        bus = try SharedPublisher(configuration, instruments: instruments)
        var pooling = SessionPool.Configuration()
        pooling.externalAs = externalAs
        var logger = Logger(label: "test", factory: { [lines] _ in journalLog(lines) })
        logger.logLevel = .trace
        pool = SessionPool(
            adapters: Adapters(loaded: adapters), instruments: instruments, masters: NoInstruments(), bus: bus,
            credentials: vault,
            configuration: pooling, logger: logger)
    }

    func stop() async {
        await pool.stop()
        bus.stop()
    }
}
