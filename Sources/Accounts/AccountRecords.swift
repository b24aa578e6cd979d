import MarketData

/// One user as the store knows them.
public struct UserRecord: Sendable, Hashable {
    public let id: Int64
    public let name: String
    /// Nil when the user has not been put on a broker.
    public let broker: String?
    /// Seconds since 1970, UTC.
    public let created: Int64
    /// Keys that are neither revoked nor expired.
    public let activeKeys: Int
    /// The brokers that there are credentials for, by name.
    public let credentialBrokers: [String]
}

/// One API key without the key.
public struct KeyRecord: Sendable, Hashable {
    public let id: Int64
    public let user: String
    /// What the owner called it.
    public let name: String?
    /// The key's last four characters, to tell keys apart.
    public let hint: String
    /// Seconds since 1970, UTC.
    public let created: Int64
    /// Seconds since 1970, UTC; nil while the key is good.
    public let revoked: Int64?
    /// To the minute; seconds since 1970, UTC. Nil: never.
    public let lastUsed: Int64?
    /// Nil when what the file holds is not understood: such a key is refused.
    public let permissions: Permissions?
    /// Seconds since 1970, UTC; nil: never.
    public let expires: Int64?
}

/// The names of one user's credentials at one broker; values are never listed.
public struct CredentialRecord: Sendable, Hashable {
    public let user: String
    public let broker: String
    public let names: [String]
    /// Rises with every change.
    public let version: UInt64
    /// Seconds since 1970, UTC.
    public let updated: Int64
}
