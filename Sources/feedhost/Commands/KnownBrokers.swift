import Adapters
import ArgumentParser
import MarketData
import Operations

/// The brokers that a host with these settings would serve, so that a slip in a name is told when it is made.
struct KnownBrokers {
    private let registry: AdapterRegistry
    /// Those that are fed from outside.
    private let fromOutside: [String]

    /// Scans the adapters. Blocks while files are probed.
    init(_ settings: Settings) { self.init(PluginScan.run(settings), settings) }

    /// - Parameter registry: Scanned already.
    init(_ registry: AdapterRegistry, _ settings: Settings) {
        self.registry = registry
        fromOutside = ["external"] + [settings.bus.externalAs].compactMap(\.self)
    }

    private var names: [String] { (registry.brokers + fromOutside).sorted() }

    /// - Throws: ``StartError`` when no adapter serves `broker`. What is no broker's name at all is left to the store.
    func check(_ broker: String) throws {
        guard SettingKind.isBroker(broker), !names.contains(broker) else { return }
        let hint = NearMatch.hint(for: broker, among: names)
        let found =
            registry.brokers.isEmpty
            ? "None was found in \(registry.folders.map(\.path).joined(separator: ", "))."
            : "There are: \(names.joined(separator: ", "))."
        throw StartError(
            "No adapter for the broker \(broker) is loaded.\(hint) \(found) --force takes it all the same.")
    }

    /// - Parameter names: of credentials that get a value; one that is taken away may be called anything.
    /// - Throws: ``StartError`` when the broker's adapter does not know one of them.
    func check(credentials names: some Sequence<String>, at broker: String) throws {
        guard let keys = registry.adapter(broker)?.description.credentialKeys.map(\.name) else { return }
        for name in names.sorted() where !keys.contains(name) {
            let known = keys.isEmpty ? "it needs none" : "it has: \(keys.joined(separator: ", "))"
            throw StartError(
                "\(broker) has no credential \(name.debugDescription); \(known).\(NearMatch.hint(for: name, among: keys)) "
                    + "--force stores it all the same.")
        }
    }
}

/// For commands that name a broker.
struct BrokerOptions: SettingsOptions {
    @OptionGroup var adapters: AdapterOptions
    @Flag(help: "Takes names that no loaded adapter knows.") var force = false

    var input: SettingsInput { adapters.input }

    /// - Throws: ``StartError``.
    func check(_ broker: String, credentials: some Sequence<String> = EmptyCollection<String>(), _ settings: Settings)
        throws
    {
        guard !force else { return }
        let brokers = KnownBrokers(settings)
        try brokers.check(broker)
        try brokers.check(credentials: credentials, at: broker)
    }
}
