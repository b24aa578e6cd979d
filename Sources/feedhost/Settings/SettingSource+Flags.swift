import MarketData
import Secrets

extension SettingSource {
    /// A flag of the command line that sets a setting.
    struct Flag: Sendable, Hashable {
        /// As it is written: `--port`.
        let flag: String
        let key: String
        let value: String
    }

    /// - Parameter assignments: the values of `--set`: `KEY=VALUE` of the table, or `BROKER.KEY=VALUE` of an adapter.
    static func flags(_ flags: [Flag], assignments: [String]) -> SettingSource {
        var source = SettingSource()
        for flag in flags {
            guard let definition = SettingTable.byKey[flag.key] else { continue }
            source.layer.set(definition, [flag.value], origin: flag.flag)
        }
        for assignment in assignments { source.take(assignment: assignment) }
        return source
    }

    private mutating func take(assignment: String) {
        let sides = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let origin = "--set \(sides[0])"
        if sides.count == 2, let definition = SettingTable.byKey[sides[0]] {
            if let other = layer.entry(for: definition.key)?.origin, other != origin {
                problems.append("\(origin) and \(other) set the same: keep one of them.")
            }
            layer.set(definition, [sides[1]], origin: origin)
            return
        }
        // As it stands in the file, `adapters.simulator.rate`.
        let path = sides[0].hasPrefix("adapters.") ? String(sides[0].dropFirst("adapters.".count)) : sides[0]
        let names = path.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if names.count == 2, SettingTable.sections.contains(names[0]), SettingTable.byKey[path] == nil {
            let keys = SettingTable.all.map(\.key)
            problems.append("\(origin) is not a setting.\(NearMatch.hint(for: sides[0], among: keys))")
            return
        }
        guard sides.count == 2, names.count == 2, SettingKind.isBroker(names[0]), !names[1].isEmpty else {
            // Without the right side: it may be a secret.
            problems.append(
                "\(origin) is not understood; allowed: BROKER.KEY=VALUE, as in simulator.rate=1000, and KEY=VALUE of a "
                    + "setting, as in log.level=debug")
            return
        }
        adapters.append(
            .init(target: .named(broker: names[0], key: names[1]), value: Secret(sides[1]), source: origin))
    }
}
