import CFeedhostABI

extension EntryCheck {
    private static let maxKeys = 128

    /// Copies one descriptor out of the plugin.
    static func describe(
        _ pointer: UnsafePointer<fh_descriptor>, number: Int
    ) throws(PluginRefusal) -> BrokerDescription {
        let what = "descriptor \(number)"
        try checkSize(pointer.pointee.size, atLeast: FirstSize.descriptor, what: what)
        let descriptor = pointer.pointee
        let id = try BorrowedText.required(descriptor.id, what: "the id of \(what)")
        let broker = try BorrowedText.required(descriptor.broker, what: "the broker key of \(id)", limit: 32)
        guard broker.utf8.allSatisfy(BorrowedText.isKeyByte) else {
            throw PluginRefusal("has the broker key \"\(broker)\"; a-z, 0-9 and '_' are allowed")
        }
        guard id.utf8.allSatisfy(BorrowedText.isIdentifierByte) else {
            throw PluginRefusal("has the id \"\(id)\"; letters, digits, '.', '-' and '_' are allowed")
        }
        // Without: a plugin that serves no broker, and must provide accounts.
        let capabilities =
            if let able = descriptor.capabilities { try Self.capabilities(able, id: id) } else { Capabilities.none }
        return BrokerDescription(
            id: id, name: try BorrowedText.required(descriptor.name, what: "the name of \(id)"),
            vendor: try BorrowedText.optional(descriptor.vendor, what: "the vendor of \(id)") ?? "",
            version: try BorrowedText.required(descriptor.version, what: "the version of \(id)", limit: 64),
            url: try BorrowedText.optional(descriptor.url, what: "the url of \(id)", limit: 1_024),
            license: try BorrowedText.optional(descriptor.license, what: "the license of \(id)"),
            broker: broker, capabilities: capabilities,
            configKeys: try keys(descriptor.config_keys, what: "setting", id: id),
            credentialKeys: try keys(descriptor.credential_keys, what: "credential", id: id))
    }

    private static func keys(
        _ list: UnsafePointer<fh_config_key>?, what: String, id: String
    ) throws(PluginRefusal) -> [AdapterKey] {
        guard let list else { return [] }
        var keys: [AdapterKey] = []
        while let name = list[keys.count].name {
            guard keys.count < maxKeys else {
                throw PluginRefusal("has more than \(maxKeys) \(what)s in \(id): is the list's last name NULL?")
            }
            let entry = list[keys.count]
            let key = try BorrowedText.required(name, what: "the name of a \(what) of \(id)", limit: 64)
            guard key.utf8.allSatisfy(BorrowedText.isKeyByte) else {
                throw PluginRefusal("has the \(what) \"\(key)\" in \(id); a-z, 0-9 and '_' are allowed")
            }
            guard !keys.contains(where: { $0.name == key }) else {
                throw PluginRefusal("names the \(what) \(key) of \(id) twice")
            }
            guard let kind = AdapterKey.Kind(rawValue: entry.type) else {
                throw PluginRefusal("gives the \(what) \(key) of \(id) the type \(entry.type); 1 to 6 are known")
            }
            guard entry.required <= 1 else {
                throw PluginRefusal(
                    "says required = \(entry.required) for the \(what) \(key) of \(id); 0 or 1 is wanted")
            }
            keys.append(
                AdapterKey(
                    name: key, kind: kind,
                    defaultValue: try BorrowedText.optional(
                        entry.default_value, what: "the default of \(key)", limit: 4_096),
                    help: try BorrowedText.optional(entry.help, what: "the help of \(key)", limit: 1_024) ?? "",
                    required: entry.required == 1))
        }
        return keys
    }
}
