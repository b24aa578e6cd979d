import Accounts
import Foundation
import Instruments
import Logging
import MarketBus
import MarketData
import Operations
import Sessions
import StreamProxy

/// The rooms, wired: bus, adapters, accounts, proxy. Made by ``start(_:)``, ended by ``stop()``.
final class FeedHost: Sendable {
    let settings: Settings
    private let bus: SharedPublisher
    private let sessions: SessionPool
    private let proxy: ProxyServer
    private let accounts: AccountProvider
    let logger: Logger
    private let tasks: [Task<Void, Never>]

    /// How clients and publishers reach this host.
    var ready: ReadyFile {
        ReadyFile(
            pid: ProcessInfo.processInfo.processIdentifier,
            websocket: "ws://\(Self.urlHost(settings.proxy.host)):\(proxy.port)",
            listeners: proxy.listeners.map(Self.url),
            bus: bus.endpoint, publisher: bus.publisherEndpoint, brokers: sessions.brokers)
    }

    /// Starts everything; when it returns, clients can connect.
    /// - Throws: ``StartError`` or ``SettingsError`` with what is wrong and how to mend it.
    static func start(_ settings: Settings) async throws -> FeedHost {
        let logger = Logger(label: "feedhost")
        for notice in settings.notices + settings.withoutEffect + [settings.providerNotice].compactMap(\.self) {
            logger.notice("\(notice)")
        }
        let routes = try settings.transport.routes()
        try ProcessLimits.prepare(
            eventLoops: settings.clients.eventLoops, listeners: settings.clients.listeners.count, logger)
        let registry = PluginScan.run(settings)
        PluginScan.log(registry, logger)
        let adapterSettings = try settings.adapters.resolve(declared: PluginScan.declaredKeys(registry))
            .mapValues { $0.mapValues(\.value) }
        let accounts = try await AccountProvider.open(settings, adapters: registry, adapterSettings, logger)

        let catalog = InstrumentCatalog(path: MasterStore.path(beside: settings.store), logger: logger)
        // Before the first client can ask for a symbol.
        await catalog.load()
        let instruments = InstrumentHandles()
        // A flood of these must not pile up: looking once more is enough.
        let invalidations = Invalidations(logger)
        let bus = try Listening.bus(settings, registry: registry, instruments: instruments, logger) {
            invalidations.tell($0)
        }
        var configuration = SessionPool.Configuration()
        configuration.adapterSettings = adapterSettings
        configuration.externalAs = settings.bus.externalAs
        configuration.limits = settings.poolLimits
        configuration.routes = routes
        configuration.advice = accounts.advice
        let sessions = SessionPool(
            registry: registry, instruments: instruments, masters: catalog, bus: bus, credentials: accounts.credentials,
            configuration: configuration, logger: logger)
        let proxy: ProxyServer
        do {
            proxy = try await Listening.proxy(
                settings, authenticator: accounts.authenticator, sessions: sessions, bus: bus, logger)
        } catch {
            await sessions.stop()
            bus.stop()
            throw error
        }
        let masters = BrokerMasters(
            AdapterMasters(registry: registry, settings: adapterSettings, routes: configuration.routes),
            accounts: accounts.store.map { StoredOwners(store: $0, defaults: settings.credentialDefaults) },
            credentialDefaults: settings.credentialDefaults)
        return FeedHost(
            settings: settings, bus: bus, sessions: sessions, proxy: proxy, accounts: accounts,
            catalog: catalog, masters: masters, invalidations: invalidations, logger: logger)
    }

    private init(
        settings: Settings, bus: SharedPublisher, sessions: SessionPool, proxy: ProxyServer,
        accounts: AccountProvider, catalog: InstrumentCatalog, masters: BrokerMasters,
        invalidations: Invalidations, logger: Logger
    ) {
        self.settings = settings
        self.bus = bus
        self.sessions = sessions
        self.proxy = proxy
        self.accounts = accounts
        self.logger = logger
        tasks =
            accounts.tasks.map { work in Task { await work() } } + [
                Task { await catalog.run() },
                Task {
                    guard settings.instruments.isRefreshed else { return }
                    await InstrumentRefresh(
                        masters: masters, path: MasterStore.path(beside: settings.store),
                        schedule: RefreshSchedule(
                            hour: settings.instruments.refreshAt.hour, minute: settings.instruments.refreshAt.minute),
                        logger: logger
                    ).run()
                },
                Task { await invalidations.run(look: accounts.look) { await sessions.credentialsChanged(user: $0) } },
                Task {
                    // Nothing here waits for a session: a key that was revoked closes its clients at once.
                    for await change in accounts.changes {
                        logger.info("accounts have changed: \(change.kind)")
                        proxy.apply(change)
                        switch change.kind {
                        case .credentialsChanged(let user, let broker), .credentialsRevoked(let user, let broker):
                            await sessions.credentialsChanged(user: user, broker: broker)
                        case .keyRevoked, .keyChanged, .userChanged, .brokersChanged: break
                        }
                    }
                },
                Task { for await event in sessions.events { proxy.announce(event) } },
                Task {
                    await Reporter(
                        .init(path: settings.stats.path, isExplicit: settings.stats.isExplicit),
                        sources: [bus.counters, sessions, proxy.counters],
                        stuckAdapters: { await sessions.stuckAdapters() }, logger: logger
                    ).run()
                },
            ]
    }

    /// - Returns: False without a listener with TLS.
    func renewCertificate() -> Bool { proxy.renewCertificate() }

    /// Looks now at what is looked at now and then anyway.
    func lookAtAccounts() async { await accounts.look() }

    /// Drains: clients get 1001, then sessions, bus and store end and their ports are released.
    func stop() async {
        for task in tasks { task.cancel() }
        await proxy.stop()
        await sessions.stop()
        bus.stop()
        await accounts.stop()
        try? accounts.store?.close()
        logger.info("stopped")
    }

    /// As a client on this machine writes it.
    private static func url(_ listener: ListenerAddress) -> String {
        guard case .tcp(let host, let port) = listener.place else { return listener.description }
        return "\(listener.isTLS ? "wss" : "ws")://\(urlHost(host)):\(port)"
    }

    private static func urlHost(_ host: String) -> String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "[::1]"
        default: host.contains(":") ? "[\(host)]" : host
        }
    }
}
