import Accounts
import Adapters
import Instruments
import Logging
import MarketData
import Operations
import Secrets
import Transport

/// The masters of the adapters that are loaded.
struct AdapterMasters: InstrumentMasters {
    let registry: AdapterRegistry
    /// Of each broker, as the configuration gives them.
    let settings: [String: [String: Secret]]
    let routes: OutboundRoutes

    var brokers: [String] { registry.brokers.filter { registry.adapter($0)?.hasMaster == true } }

    /// - Throws: ``StartError`` when there is no adapter, or it has no master.
    func master(_ broker: String) throws -> any InstrumentMaster {
        let adapter: LoadedAdapter
        switch registry.find(broker) {
        case .success(let found): adapter = found
        case .failure(let refusal):
            throw StartError("\(refusal.reason); `feedhost plugins list` shows what is loaded.")
        }
        guard let source = InstrumentSource(adapter) else {
            let others =
                brokers.isEmpty ? "no adapter that is loaded has" : "these have: \(brokers.joined(separator: ", "))"
            throw StartError("The adapter for \(broker) has no instrument master; \(others).")
        }
        return source
    }

    func settings(_ broker: String) -> [String: Secret] {
        let given = settings[broker] ?? [:]
        return registry.adapter(broker)?.description.settings(given: given) ?? given
    }

    func download(_ broker: String) -> any MasterDownload { MasterFetch(route: routes[broker]) }
}

extension BrokerMasters {
    /// For commands: scans the adapters and opens the accounts that a host with these settings would use, if there are some.
    static func load(_ settings: Settings) async throws -> BrokerMasters {
        let registry = PluginScan.run(settings)
        let resolved = try settings.adapters.resolve(declared: PluginScan.declaredKeys(registry))
        return BrokerMasters(
            AdapterMasters(
                registry: registry, settings: resolved.mapValues { $0.mapValues(\.value) },
                routes: try settings.transport.routes()),
            accounts: try await owners(settings), credentialDefaults: settings.credentialDefaults)
    }

    private static func owners(_ settings: Settings) async throws -> (any CredentialOwners)? {
        if settings.isOnOpenAlgo {
            return OpenAlgoOwners(
                accounts: try await OpenAlgoAccounts(
                    try settings.openAlgo.installation(), defaults: settings.credentialDefaults,
                    logger: Logger(label: "instruments") { _ in SwiftLogNoOpLogHandler() }))
        }
        do {
            return StoredOwners(
                store: try settings.accountStore(create: false), defaults: settings.credentialDefaults)
        } catch let error as AccountStoreError where error.code == .missing {
            return nil
        }
    }
}
