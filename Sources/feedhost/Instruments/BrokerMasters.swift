import Accounts
import Instruments
import MarketData
import PluginHost

/// The masters that loaded adapters offer, with what downloading them takes: settings, and somebody's credentials.
struct BrokerMasters: Sendable {
    let registry: AdapterRegistry
    /// Of each broker, as the configuration gives them.
    let settings: [String: [String: Secret]]
    /// Nil while there is no store: then nobody has credentials.
    let accounts: AccountStore?
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

    /// Users with credentials of their own at a broker, by name, with the version of these.
    func owners(_ broker: String) async throws -> [(user: String, version: UInt64)] {
        try await accounts?.credentialRecords().filter { $0.broker == broker && !$0.names.isEmpty }
            .map { ($0.user, $0.version) } ?? []
    }

    /// Brokers that somebody is on or has credentials at.
    func used() async throws -> Set<String> {
        guard let accounts else { return [] }
        let users = try await accounts.users().compactMap(\.broker)
        return Set(users).union(try await accounts.credentialRecords().map(\.broker))
    }

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
            throw StartError(
                "User \(user) has no credentials at \(broker). Set them with `feedhost credentials set \(user) --broker \(broker) KEY=VALUE …`."
            )
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
        return try await SQLiteAccounts(store: accounts, defaults: credentialDefaults)
            .credentials(user: user, broker: broker).values
    }

    /// With the adapter's defaults.
    private func adapterSettings(_ broker: String) -> [String: Secret] {
        let given = settings[broker] ?? [:]
        return registry.adapter(broker)?.description.settings(given: given) ?? given
    }
}

extension BrokerMasters {
    /// For commands: scans the adapters and opens the account store if there is one.
    static func load(_ settings: Settings) throws -> BrokerMasters {
        let registry = Plugins.scan(settings)
        let resolved = try settings.adapters.resolve(declared: Plugins.declaredKeys(registry))
        let accounts: AccountStore?
        do {
            accounts = try settings.accountStore(create: false)
        } catch let error as AccountStoreError where error.code == .missing {
            accounts = nil
        }
        return BrokerMasters(
            registry: registry, settings: resolved.mapValues { $0.mapValues(\.value) }, accounts: accounts,
            credentialDefaults: settings.credentialDefaults, routes: try settings.transport.routes())
    }
}
