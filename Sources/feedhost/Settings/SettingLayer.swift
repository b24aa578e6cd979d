import Configuration

/// One source of settings: a swift-configuration provider for the values, and where each of them stands.
struct SettingLayer: Sendable {
    private var values: [AbsoluteConfigKey: ConfigValue] = [:]
    private var origins: [String: String] = [:]
    private let name: String

    init(_ name: String) { self.name = name }

    /// Everything in memory: each source is read once, so that what is checked is what is used.
    var provider: InMemoryProvider { InMemoryProvider(name: name, values: values) }

    func origin(of key: String) -> String? { origins[key] }

    /// Values stay text until ``SettingKind`` reads them: a provider's own conversions do not say what is allowed.
    mutating func set(_ definition: SettingDefinition, _ raw: [String], origin: String) {
        origins[definition.key] = origin
        let content: ConfigContent =
            if let separator = definition.kind.separator {
                .stringArray(raw.flatMap { $0.split(separator: separator).map(String.init) })
            } else {
                .string(raw.joined(separator: ","))
            }
        values[Self.absolute(definition.key)] = ConfigValue(content, isSecret: definition.isSecret)
    }

    static func absolute(_ key: String) -> AbsoluteConfigKey { AbsoluteConfigKey(ConfigKey(key)) }
}

/// What one source held, read and sorted.
struct SettingSource: Sendable {
    var layer: SettingLayer
    /// For the adapters, whose settings are known once they are loaded.
    var adapters: [AdapterSettings.Entry] = []
    /// Errors.
    var problems: [String] = []
    /// Oddities that stop nothing.
    var notices: [String] = []

    init(_ name: String) { layer = SettingLayer(name) }
}
