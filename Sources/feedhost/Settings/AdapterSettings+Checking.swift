import MarketData
import Secrets

extension AdapterSettings {
    /// Says what is wrong, now that the loaded adapters and their keys are known.
    /// - Parameter declared: by broker; brokers without settings have an empty list.
    /// - Throws: ``SettingsError`` with all problems.
    func validate(declared: [String: [DeclaredKey]]) throws {
        _ = try resolve(declared: declared)
    }

    /// The settings of every loaded broker, checked.
    /// - Throws: ``SettingsError`` with all problems.
    func resolve(declared: [String: [DeclaredKey]]) throws -> [String: [String: Value]] {
        var problems: [String] = []
        var resolved: [String: [String: Value]] = [:]
        for entry in entries {
            guard let (broker, key) = target(of: entry, declared, &problems) else { continue }
            guard let keys = declared[broker] else {
                problems.append(
                    "\(entry.source): no adapter for \(broker) is loaded.\(NearMatch.hint(for: broker, among: declared.keys))"
                )
                continue
            }
            guard let definition = keys.first(where: { $0.name == key }) else {
                problems.append(Self.unknown(key, of: broker, keys, entry.source))
                continue
            }
            guard definition.allows(entry.value.revealed) else {
                problems.append(
                    SettingsError.wrong(
                        entry.source, value: entry.value.revealed, secret: definition.kind == .secret,
                        allowed: definition.allowed))
                continue
            }
            resolved[broker, default: [:]][key] = Value(value: entry.value, source: entry.source)
        }
        guard problems.isEmpty else { throw SettingsError(problems) }
        return resolved
    }

    /// Of a variable: the broker with the longest name that has such a key, else the longest name that fits at all.
    private func target(
        of entry: Entry, _ declared: [String: [DeclaredKey]], _ problems: inout [String]
    ) -> (broker: String, key: String)? {
        switch entry.target {
        case .named(let broker, let key): return (broker, key)
        case .variable(let rest):
            let fitting = declared.keys.filter { rest.hasPrefix($0 + "_") }.sorted { $0.utf8.count > $1.utf8.count }
                .map { (broker: $0, key: String(rest.dropFirst($0.count + 1))) }
            if let match = fitting.first(where: { match in
                declared[match.broker]?.contains { $0.name == match.key } == true
            }) {
                return match
            }
            if let match = fitting.first { return match }
            let words = declared.flatMap { broker, keys in keys.map { "\(broker)_\($0.name)" } } + Self.ownVariables
            let near = EditDistance.nearest(to: rest, among: words)
            problems.append(
                "\(entry.source) is not a setting: no adapter is loaded whose name it begins with."
                    + (near.map { " Did you mean \(SettingSource.prefix)\($0.uppercased())?" } ?? ""))
            return nil
        }
    }

    private static var ownVariables: [String] {
        SettingTable.variables.filter { $0.hasPrefix(SettingSource.prefix) }
            .map { $0.dropFirst(SettingSource.prefix.count).lowercased() }
    }

    private static func unknown(_ key: String, of broker: String, _ keys: [DeclaredKey], _ source: String) -> String {
        let names = keys.map(\.name).sorted()
        let known = names.isEmpty ? "it has none" : "it has: " + names.joined(separator: ", ")
        return
            "\(source): \(broker) has no setting \(key.debugDescription); \(known).\(NearMatch.hint(for: key, among: names))"
    }
}
