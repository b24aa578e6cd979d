import Secrets

/// A user's credentials at one broker, as they are now. Read afresh for every connect.
public struct BrokerCredentials: Sendable, Hashable {
    /// Rises whenever they change.
    public let version: UInt64
    /// By the names of the adapter's credential keys: `api_key`, `access_token`, …
    public let values: [String: Secret]

    public init(version: UInt64 = 0, values: [String: Secret] = [:]) {
        self.version = version
        self.values = values
    }
}

/// Where broker sessions get their credentials. Any thread.
public protocol CredentialSource: Sendable {
    /// - Throws: ``FeedError`` when they cannot be read.
    func credentials(user: String, broker: String) async throws -> BrokerCredentials
}

/// A client that has shown a valid API key.
public struct Account: Sendable, Hashable {
    public let user: String
    /// The user's own broker: the one that requests without `broker` mean.
    public let broker: String
    /// All brokers that the user can choose from with `broker` in a request; holds ``broker``.
    public let brokers: Set<String>
    /// Names the key without revealing it; 0 for one that no store holds.
    public let keyID: Int64
    public let permissions: Permissions
    /// Milliseconds since 1970, UTC: from then on the key counts for nothing, for clients that are connected too. Nil: never.
    public let expires: Int64?

    public init(
        user: String, broker: String, keyID: Int64, brokers: Set<String> = [], permissions: Permissions = .everything,
        expires: Int64? = nil
    ) {
        self.user = user
        self.broker = broker
        self.brokers = brokers.union([broker])
        self.keyID = keyID
        self.permissions = permissions
        self.expires = expires
    }
}

/// Whose a valid key is and what it allows, whether the user is at a broker or not.
public struct KeyOwner: Sendable, Hashable {
    public let user: String
    /// As in ``Account/keyID``.
    public let keyID: Int64
    public let permissions: Permissions
    /// As in ``Account/expires``.
    public let expires: Int64?

    public init(user: String, keyID: Int64, permissions: Permissions = .everything, expires: Int64? = nil) {
        self.user = user
        self.keyID = keyID
        self.permissions = permissions
        self.expires = expires
    }
}

extension Account {
    public var owner: KeyOwner { KeyOwner(user: user, keyID: keyID, permissions: permissions, expires: expires) }
}

/// Who may come in. Any thread.
public protocol Authenticator: Sendable {
    /// - Throws: ``FeedError`` with `AUTHENTICATION_ERROR` for a wrong key, `BROKER_ERROR` for a user without broker.
    func authenticate(key: Secret) async throws -> Account
    /// Whose key it is that was refused with `BROKER_ERROR`: its user has no broker at the moment, and is no stranger.
    /// - Returns: Nil when the key is no good any more, or when nobody can tell.
    func owner(of key: Secret) async -> KeyOwner?
}

extension Authenticator {
    public func owner(of key: Secret) async -> KeyOwner? { nil }
}

/// What another process changed in the store.
public struct AccountChange: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// The key was revoked: its clients are no longer welcome.
        case keyRevoked(keyID: Int64)
        /// What the key allows, or until when it is good, has changed: its clients authenticate anew.
        case keyChanged(keyID: Int64)
        /// The user was removed or put on another broker.
        case userChanged(user: String)
        /// The user has these brokers now, the own one among them: clients that are connected may name them at once.
        case brokersChanged(user: String, brokers: Set<String>)
        /// New credentials: the session is rebuilt.
        case credentialsChanged(user: String, broker: String)
        /// The user has logged out or was logged out at the broker: the session ends, and its clients are told.
        case credentialsRevoked(user: String, broker: String)
    }
    public let kind: Kind
    public init(_ kind: Kind) { self.kind = kind }
}
