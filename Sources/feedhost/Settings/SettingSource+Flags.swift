import MarketData

extension SettingSource {
    /// A flag of the command line that sets a setting.
    struct Flag: Sendable, Hashable {
        /// As it is written: `--port`.
        let flag: String
        let key: String
        let value: String
    }

    /// - Parameter assignments: the values of `--set`, `BROKER.KEY=VALUE`.
    static func flags(_ flags: [Flag], assignments: [String]) -> SettingSource {
        var source = SettingSource("flags")
        for flag in flags {
            guard let definition = SettingTable.byKey[flag.key] else { continue }
            source.layer.set(definition, [flag.value], origin: flag.flag)
        }
        for assignment in assignments {
            let sides = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            let names = sides[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, names.count == 2, SettingKind.isBroker(names[0]), !names[1].isEmpty else {
                // Without the right side: it may be a secret.
                source.problems.append(
                    "--set \(sides[0]) is not understood; allowed: BROKER.KEY=VALUE, as in simulator.rate=1000")
                continue
            }
            source.adapters.append(
                .init(
                    target: .named(broker: names[0], key: names[1]), value: Secret(sides[1]),
                    source: "--set \(sides[0])"))
        }
        return source
    }
}
