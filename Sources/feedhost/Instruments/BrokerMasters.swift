import Accounts
import Adapters
import Instruments
import Logging
import MarketData
import Operations
import Secrets
import Transport

/// The masters that loaded adapters offer, with what downloading them takes: settings, and somebody's credentials.
struct BrokerMasters: Sendable {
    let registry: AdapterRegistry
    /// Of each broker, as the configuration gives them.
    let settings: [String: [String: Secret]]
    /// Nil while there is no store: then nobody has credentials.
    let accounts: (any CredentialOwners)?
    let credentialDefaults: [String: Secret]
    var routes = OutboundRoutes()

    /// Brokers with a master, sorted.
    var brokers: [String] { registry.brokers.filter { registry.adapter($0)?.hasMaster == true } }

    /// - Throws: ``StartError`` when there is no adapter, or it has no master.
    func source(_ broker: String) throws -> InstrumentSource {
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

    /// See ``CredentialOwners``.
    func owners(_ broker: String) async throws -> [(user: String, version: UInt64)] {
        try await accounts?.owners(broker) ?? []
    }

    /// See ``CredentialOwners``.
    func used() async throws -> Set<String> { try await accounts?.used() ?? [] }

    /// Downloads a broker's master and stores it.
    ///
    /// - Parameters:
    ///   - user: Whose credentials to use; nil tries those of each user who has some, until the broker accepts them.
    ///   - insist: Takes a master that is doubted.
    func sync(
        _ broker: String, user: String? = nil, into store: MasterStore, insist: Bool = false,
        progress: @escaping @Sendable (MasterSync.Step) -> Void = { _ in }
    ) async throws -> MasterRecord {
        let source = try source(broker)
        let owners = try await owners(broker).map(\.user)
        if let user, !owners.contains(user) {
            let advice =
                accounts?.advice(user: user, broker: broker)
                ?? "There is no account store; `feedhost users add \(user) --broker \(broker)` makes one."
            throw StartError("User \(user) has no credentials at \(broker). \(advice)")
        }
        let sync = MasterSync(store: store, insist: insist)
        let candidates: [String?] = user == nil && !owners.isEmpty ? owners : [user]
        for (index, candidate) in candidates.enumerated() {
            do {
                return try await sync.sync(
                    source, over: MasterFetch(route: routes[broker]), settings: adapterSettings(broker),
                    credentials: try await credentials(of: candidate, at: broker), progress: progress)
            } catch let error as FeedError where error.code == .authentication && index + 1 < candidates.count {
                // The next user's token may be fresher.
                continue
            }
        }
        throw StartError("There is nobody whose credentials at \(broker) could be used.")
    }

    private func credentials(of user: String?, at broker: String) async throws -> [String: Secret] {
        guard let user, let accounts else { return credentialDefaults }
        return try await accounts.credentials(user: user, broker: broker)
    }

    /// With the adapter's defaults.
    private func adapterSettings(_ broker: String) -> [String: Secret] {
        let given = settings[broker] ?? [:]
        return registry.adapter(broker)?.description.settings(given: given) ?? given
    }
}

extension BrokerMasters {
    /// For commands: scans the adapters and opens the accounts that a host with these settings would use, if there are some.
    static func load(_ settings: Settings) async throws -> BrokerMasters {
        let registry = Plugins.scan(settings)
        let resolved = try settings.adapters.resolve(declared: Plugins.declaredKeys(registry))
        return BrokerMasters(
            registry: registry, settings: resolved.mapValues { $0.mapValues(\.value) },
            accounts: try await owners(settings),
            credentialDefaults: settings.credentialDefaults, routes: try settings.transport.routes())
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
