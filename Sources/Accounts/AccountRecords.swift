/// One user as the store knows them.
public struct UserRecord: Sendable, Hashable {
    public let id: Int64
    public let name: String
    /// Nil when the user has not been put on a broker.
    public let broker: String?
    /// Seconds since 1970, UTC.
    public let created: Int64
    /// Keys that are not revoked.
    public let activeKeys: Int
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
