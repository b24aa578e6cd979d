import MarketData
import Secrets

extension SettingSource {
    static let prefix = "FEEDHOST_"

    static func environment(_ variables: [String: String]) -> SettingSource {
        var source = SettingSource()
        source.take(variables.map { ($0, $1, "environment variable \($0)") })
        return source
    }

    /// - Parameter name: of the file, as the user would write it.
    static func dotEnv(_ text: String, name: String, environment: [String: String]) -> SettingSource {
        var source = SettingSource()
        let file = DotEnv(text)
        let entries = file.values(environment: environment).values.sorted { $0.line < $1.line }
        source.take(
            entries.compactMap { entry in
                entry.value.map { (entry.name, $0, "\(name) line \(entry.line): \(entry.name)") }
            })
        source.notices = file.invalidLines.map { "\(name) line \($0) is not understood and was skipped." }
        return source
    }

    private mutating func take(_ variables: [(name: String, value: String, origin: String)]) {
        let known = Dictionary(
            SettingTable.all.compactMap { definition in definition.environment.map { ($0, definition) } }
        ) { first, _ in first }
        for (name, value, origin) in variables.sorted(by: { $0.name < $1.name }) {
            // Uppercase sorts first, so that lowercase has the last word unless it is empty, as with curl.
            let upper = name.uppercased()
            let isAlias =
                SettingTable.alsoInLowercase.contains(upper) && name == name.lowercased() && !value.isEmpty
            if let definition = known[isAlias ? upper : name] {
                layer.set(definition, [value], origin: origin)
            } else if name.hasPrefix(Self.prefix) {
                takeUnknown(name, value, origin)
            }
            // Everything else belongs to other programs: OpenAlgo's `.env` holds a hundred names of its own.
        }
    }

    /// `FEEDHOST_BINANCE_ENDPOINT` is a setting of an adapter, which is known once adapters are loaded. What looks like a
    /// slip in one of our own names, or cannot be BROKER_KEY, is an error at once, because most commands load none.
    private mutating func takeUnknown(_ name: String, _ value: String, _ origin: String) {
        let rest = name.dropFirst(Self.prefix.count).lowercased()
        let ours = SettingTable.variables.filter { $0.hasPrefix(Self.prefix) }
        let near = ours.filter { EditDistance.between($0, name, atMost: 2) != nil }.min()
        if let near {
            problems.append("\(origin) is not a setting. Did you mean \(near)?")
        } else if !rest.dropFirst().dropLast().contains("_") {
            problems.append(
                "\(origin) is not a setting; allowed: \(ours.sorted().joined(separator: ", ")), "
                    + "and FEEDHOST_BROKER_KEY for the settings of an adapter.")
        } else {
            adapters.append(.init(target: .variable(rest: rest), value: Secret(value), source: origin))
        }
    }
}
