import MarketData
import Secrets

/// The masters that brokers have, downloaded with somebody's credentials.
package struct BrokerMasters: Sendable {
    package let offers: any InstrumentMasters
    /// Nil while there is no store: then nobody has credentials.
    private let accounts: (any CredentialOwners)?
    private let credentialDefaults: [String: Secret]

    package init(
        _ offers: any InstrumentMasters, accounts: (any CredentialOwners)?, credentialDefaults: [String: Secret]
    ) {
        self.offers = offers
        self.accounts = accounts
        self.credentialDefaults = credentialDefaults
    }

    /// Brokers with a master, sorted.
    package var brokers: [String] { offers.brokers }

    /// See ``CredentialOwners``.
    package func owners(_ broker: String) async throws -> [(user: String, version: UInt64)] {
        try await accounts?.owners(broker) ?? []
    }

    /// See ``CredentialOwners``.
    package func used() async throws -> Set<String> { try await accounts?.used() ?? [] }

    /// Downloads a broker's master and stores it.
    ///
    /// - Parameters:
    ///   - user: Whose credentials to use; nil tries those of each user who has some, until the broker accepts them.
    ///   - insist: Takes a master that is doubted.
    package func sync(
        _ broker: String, user: String? = nil, into store: MasterStore, insist: Bool = false,
        progress: @escaping @Sendable (MasterSync.Step) -> Void = { _ in }
    ) async throws -> MasterRecord {
        let source = try offers.master(broker)
        let owners = try await owners(broker).map(\.user)
        if let user, !owners.contains(user) {
            let advice =
                accounts?.advice(user: user, broker: broker)
                ?? "There is no account store; `feedhost users add \(user) --broker \(broker)` makes one."
            throw MasterError(.unavailable, "User \(user) has no credentials at \(broker). \(advice)")
        }
        let sync = MasterSync(store: store, insist: insist)
        let candidates: [String?] = user == nil && !owners.isEmpty ? owners : [user]
        for (index, candidate) in candidates.enumerated() {
            do {
                return try await sync.sync(
                    source, over: offers.download(broker), settings: offers.settings(broker),
                    credentials: try await credentials(of: candidate, at: broker), progress: progress)
            } catch let error as FeedError where error.code == .authentication && index + 1 < candidates.count {
                // The next user's token may be fresher.
                continue
            }
        }
        throw MasterError(.unavailable, "There is nobody whose credentials at \(broker) could be used.")
    }

    private func credentials(of user: String?, at broker: String) async throws -> [String: Secret] {
        guard let user, let accounts else { return credentialDefaults }
        return try await accounts.credentials(user: user, broker: broker)
    }
}
