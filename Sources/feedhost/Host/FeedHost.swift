import Accounts
import Foundation
import Instruments
import Logging
import MarketBus
import MarketData
import Operations
import PluginHost
import StreamProxy

/// The rooms, wired: bus, adapters, accounts, proxy. Made by ``start(_:)``, ended by ``stop()``.
final class FeedHost: Sendable {
    let store: AccountStore
    private let settings: Settings
    private let bus: SharedPublisher
    private let sessions: SessionPool
    private let proxy: ProxyServer
    private let watcher: StoreWatcher
    private let logger: Logger
    private let tasks: [Task<Void, Never>]

    /// How clients and publishers reach this host.
    var ready: ReadyFile {
        ReadyFile(
            pid: ProcessInfo.processInfo.processIdentifier,
            websocket: "ws://\(Self.urlHost(settings.proxy.host)):\(proxy.port)",
            bus: bus.endpoint, publisher: bus.publisherEndpoint, brokers: sessions.brokers)
    }

    /// Starts everything; when it returns, clients can connect.
    /// - Throws: ``StartError`` or ``SettingsError`` with what is wrong and how to mend it.
    static func start(_ settings: Settings) async throws -> FeedHost {
        let logger = Logger(label: "feedhost")
        for notice in settings.notices + settings.withoutEffect { logger.notice("\(notice)") }
        ProcessLimits.prepare(logger)
        let registry = Plugins.scan(settings)
        Plugins.log(registry, logger)
        let adapterSettings = try settings.adapters.resolve(declared: Plugins.declaredKeys(registry))
            .mapValues { $0.mapValues(\.value) }
        let store: AccountStore
        let watcher: StoreWatcher
        do {
            store = try AccountStore(path: settings.store)
            watcher = try StoreWatcher(store: store, logger: logger)
        } catch {
            throw StartError("\(error)")
        }
        for notice in store.notices { logger.notice("\(notice)") }

        let catalog = InstrumentCatalog(path: MasterStore.path(beside: settings.store), logger: logger)
        // Before the first client can ask for a symbol.
        await catalog.load()
        let instruments = InstrumentRegistry()
        // A flood of these must not pile up: looking once more is enough.
        let (invalidations, told) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1000))
        let bus = try Listening.bus(settings, registry: registry, instruments: instruments, logger) { told.yield($0) }
        let accounts = SQLiteAccounts(store: store, defaults: settings.credentialDefaults)
        var configuration = SessionPool.Configuration()
        configuration.adapterSettings = adapterSettings
        configuration.externalAs = settings.bus.externalAs
        configuration.limits = settings.poolLimits
        let sessions = SessionPool(
            registry: registry, instruments: instruments, masters: catalog, bus: bus, credentials: accounts,
            configuration: configuration, logger: logger)
        let proxy: ProxyServer
        do {
            proxy = try await Listening.proxy(
                settings, accounts: accounts, sessions: sessions, bus: bus, logger)
        } catch {
            await sessions.stop()
            bus.stop()
            throw error
        }
        let masters = BrokerMasters(
            registry: registry, settings: adapterSettings, accounts: store,
            credentialDefaults: settings.credentialDefaults)
        return FeedHost(
            store: store, settings: settings, bus: bus, sessions: sessions, proxy: proxy, watcher: watcher,
            catalog: catalog, masters: masters, invalidations: invalidations, logger: logger)
    }

    private init(
        store: AccountStore, settings: Settings, bus: SharedPublisher, sessions: SessionPool, proxy: ProxyServer,
        watcher: StoreWatcher, catalog: InstrumentCatalog, masters: BrokerMasters,
        invalidations: AsyncStream<String>, logger: Logger
    ) {
        self.store = store
        self.settings = settings
        self.bus = bus
        self.sessions = sessions
        self.proxy = proxy
        self.watcher = watcher
        self.logger = logger
        tasks = [
            Task { await watcher.run() },
            Task { await catalog.run() },
            Task {
                guard settings.instruments.isRefreshed else { return }
                await InstrumentRefresh(
                    masters: masters, path: MasterStore.path(beside: settings.store),
                    at: settings.instruments.refreshAt, logger: logger
                ).run()
            },
            Task {
                for await user in invalidations {
                    await watcher.look()
                    await sessions.credentialsChanged(user: user)
                }
            },
            Task {
                for await change in watcher.changes {
                    logger.info("the account store has changed: \(change.kind)")
                    proxy.apply(change)
                    if case .credentialsChanged(let user, let broker) = change.kind {
                        await sessions.credentialsChanged(user: user, broker: broker)
                    }
                }
            },
            Task {
                await Reporter(settings: settings, bus: bus, sessions: sessions, proxy: proxy, logger: logger).run()
            },
        ]
    }

    /// Drains: clients get 1001, then sessions, bus and store end and their ports are released.
    func stop() async {
        for task in tasks { task.cancel() }
        await proxy.stop()
        await sessions.stop()
        bus.stop()
        try? store.close()
        logger.info("stopped")
    }

    private static func urlHost(_ host: String) -> String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "[::1]"
        default: host.contains(":") ? "[\(host)]" : host
        }
    }
}
