/// What one source of settings says, in memory: each source is read once, so that what is checked is what is used.
struct SettingLayer: Sendable {
    /// Text until ``SettingKind`` reads it: one item, or those of a list.
    struct Entry: Sendable {
        let items: [String]
        /// Where it stands, as the user would look for it.
        let origin: String
    }

    private var entries: [String: Entry] = [:]

    /// Nil where the source does not name the setting.
    func entry(for key: String) -> Entry? { entries[key] }

    mutating func set(_ definition: SettingDefinition, _ raw: [String], origin: String) {
        let items =
            if let separator = definition.kind.separator {
                raw.flatMap { $0.split(separator: separator).map(String.init) }
            } else {
                [raw.joined(separator: ",")]
            }
        entries[definition.key] = Entry(items: items, origin: origin)
    }
}

/// What one source held, read and sorted.
struct SettingSource: Sendable {
    var layer = SettingLayer()
    /// For the adapters, whose settings are known once they are loaded.
    var adapters: [AdapterSettings.Entry] = []
    /// Errors.
    var problems: [String] = []
    /// Oddities that stop nothing.
    var notices: [String] = []
}
