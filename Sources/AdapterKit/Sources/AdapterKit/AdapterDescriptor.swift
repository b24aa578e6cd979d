/// Who an adapter is and what it needs: everything that the host knows about a broker.
///
/// ```swift
/// let descriptor = AdapterDescriptor(
///     id: "in.example.acme", broker: "acme", name: "Acme", vendor: "Example", version: "1.0.0",
///     capabilities: Capabilities(exchanges: ["NSE", "NFO"]),
///     configKeys: [ConfigKey("endpoint", .url, default: "wss://feed.example.in", help: "Address of the feed.")],
///     credentialKeys: [ConfigKey("api_key", .secret, required: true, help: "From the developer portal.")])
/// ```
public struct AdapterDescriptor: Sendable {
    /// Reverse DNS, unique in the world, e.g. `in.example.acme`.
    public var id: String
    /// The OpenAlgo broker key: a–z, 0–9 and `_`, e.g. `acme`.
    public var broker: String
    /// The broker's name for people.
    public var name: String
    /// Who made the adapter.
    public var vendor: String
    /// The adapter's version, e.g. `1.2.0`.
    public var version: String
    /// Home page of the adapter.
    public var url: String?
    /// SPDX identifier of its licence.
    public var license: String?
    /// What the broker and this adapter can do.
    public var capabilities: Capabilities
    /// Settings, given as `BROKER.name=value`; the host checks them before the adapter is made.
    public var configKeys: [ConfigKey]
    /// What a user has to store before the adapter can connect.
    public var credentialKeys: [ConfigKey]

    /// Describes a broker.
    public init(
        id: String, broker: String, name: String, vendor: String, version: String, url: String? = nil,
        license: String? = nil, capabilities: Capabilities, configKeys: [ConfigKey] = [],
        credentialKeys: [ConfigKey] = []
    ) {
        self.id = id
        self.broker = broker
        self.name = name
        self.vendor = vendor
        self.version = version
        self.url = url
        self.license = license
        self.capabilities = capabilities
        self.configKeys = configKeys
        self.credentialKeys = credentialKeys
    }
}
