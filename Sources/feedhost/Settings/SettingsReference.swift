/// The table of settings as text, for `--help` and `doctor`.
enum SettingsReference {
    static let text: String = {
        var lines = [
            "Settings, strongest source first: flag (--set KEY=VALUE takes each of them), environment, .env (--env-file),",
            "feedhost.yaml (--config), default.",
            "",
        ]
        for definition in SettingTable.all {
            lines.append("  \(definition.key)" + (definition.environment.map { "  (\($0))" } ?? ""))
            var facts = [definition.kind.allowed]
            if let standard = definition.standard, !standard.isEmpty { facts.append("default \(standard)") }
            if definition.isSecret { facts.append("secret") }
            if case .later(let reason) = definition.reader { facts.append(reason) }
            lines.append("      \(definition.help)")
            lines.append("      \(facts.joined(separator: "; "))")
        }
        lines += [
            "",
            "Settings of an adapter: --set BROKER.KEY=VALUE, FEEDHOST_BROKER_KEY, or in the file adapters: {BROKER: {KEY: VALUE}}.",
        ]
        return lines.joined(separator: "\n")
    }()
}
