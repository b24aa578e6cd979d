import MarketData
import Secrets

/// The logins of an OpenAlgo installation.
package struct OpenAlgoOwners: CredentialOwners {
    private let accounts: OpenAlgoAccounts

    package init(accounts: OpenAlgoAccounts) { self.accounts = accounts }

    package func owners(_ broker: String) async throws -> [(user: String, version: UInt64)] {
        await accounts.inventory().logins.filter { $0.broker == broker && $0.state == .good }.map { ($0.user, 0) }
    }

    package func used() async throws -> Set<String> { Set(await accounts.inventory().logins.map(\.broker)) }

    package func credentials(user: String, broker: String) async throws -> [String: Secret] {
        try await accounts.credentials(user: user, broker: broker).values
    }

    package func advice(user: String, broker: String) -> String { "Log in at \(broker) in OpenAlgo as \(user)." }
}
