import Adapters
import Logging
import MarketData
import Operations
import Secrets

extension AccountProvider {
    /// With accounts from a plugin, and credentials too if it has any; otherwise those of the store of this one.
    /// - Parameter settings: Of the adapters, by broker.
    /// - Throws: ``StartError`` or ``FeedError``.
    func withPlugin(
        _ name: String, _ registry: AdapterRegistry, _ settings: [String: [String: Secret]], _ logger: Logger
    ) async throws -> AccountProvider {
        let adapter = try Self.plugin(name, registry)
        let accounts = try await PluginAccounts(
            adapter, settings: settings[adapter.broker] ?? [:], fallback: credentials, logger: logger)
        logger.info("users and keys are those of the plugin \(adapter.path)")
        var provider = with(
            accounts, credentials: accounts, changes: accounts.changes, stop: { await accounts.stop() })
        provider.advice = accounts.advice
        return provider
    }

    /// - Throws: ``StartError`` that says which there are.
    static func plugin(_ name: String, _ registry: AdapterRegistry) throws -> LoadedAdapter {
        if let adapter = registry.adapter(named: name) { return adapter }
        let refused = registry.report.first { record in
            record.state != .loaded && (record.file == name || record.file == "\(name).so" || record.id == name)
        }
        let why =
            refused.map { "\($0.path): \($0.reason ?? $0.state.rawValue)" }
            ?? "loaded are \(registry.loaded.map(\.description.id).joined(separator: ", "))"
        throw StartError("accounts.provider: no adapter \(name) is loaded (\(why)).")
    }
}
