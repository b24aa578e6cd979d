import Secrets

/// Whose credentials a master can be downloaded with: those of the accounts in use.
package protocol CredentialOwners: Sendable {
    /// Users with credentials at a broker, by name, with the version of these.
    func owners(_ broker: String) async throws -> [(user: String, version: UInt64)]
    /// Brokers that somebody is on or has credentials at.
    func used() async throws -> Set<String>
    /// What the user goes to the broker with, defaults included.
    func credentials(user: String, broker: String) async throws -> [String: Secret]
    /// What a user does who has none.
    func advice(user: String, broker: String) -> String
}
