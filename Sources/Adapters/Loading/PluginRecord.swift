/// One line of `feedhost plugins list`: one file, or one broker of a file that carries several.
public struct PluginRecord: Sendable, Hashable, Codable {
    /// As it was found, not as symbolic links resolve.
    public let path: String
    /// The last component of ``path``; empty when the folder itself is the trouble.
    public let file: String
    public let folder: String
    public let state: PluginState
    /// A sentence; nil when loaded.
    public let reason: String?
    public let id: String?
    /// Nil also for a plugin that provides accounts alone.
    public let broker: String?
    /// For people, e.g. "Zerodha Kite".
    public let name: String?
    public let vendor: String?
    /// Of the adapter.
    public let version: String?
    /// That the adapter was built with, e.g. "1.0".
    public let abi: String?
    /// What ``capabilities`` come to, in one line.
    public let summary: String?
    public let capabilities: Capabilities?

    init(
        folder: String, file: String, state: PluginState, reason: String?, abi: ABIVersion? = nil,
        broker: BrokerDescription? = nil, hasAccounts: Bool = false
    ) {
        path = file.isEmpty ? folder : "\(folder)/\(file)"
        self.file = file
        self.folder = folder
        self.state = state
        self.reason = reason
        id = broker?.id
        let served = broker.flatMap { $0.servesBroker ? $0 : nil }
        self.broker = served?.broker
        name = broker?.name
        vendor = broker?.vendor
        version = broker?.version
        self.abi = abi?.description
        let abilities = [served?.capabilities.summary, hasAccounts ? "accounts" : nil].compactMap(\.self)
        summary = abilities.isEmpty ? nil : abilities.joined(separator: ", ")
        capabilities = served?.capabilities
    }
}
