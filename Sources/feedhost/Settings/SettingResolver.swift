import Logging
import MarketData
import Secrets

/// Takes every setting of the table from the strongest source that has it, and checks it.
struct SettingResolver {
    private(set) var problems: [String] = []
    private(set) var origins: [String: String] = [:]
    private var values: [String: SettingValue] = [:]

    /// - Parameter layers: the strongest first.
    init(_ layers: [SettingLayer]) {
        for definition in SettingTable.all {
            values[definition.key] = definition.standard.flatMap { definition.kind.parse([$0]) }
            let entries = layers.compactMap { $0.entry(for: definition.key) }
            if let strongest = entries.first {
                origins[definition.key] = strongest.origin
                values[definition.key] = definition.kind.parse(strongest.items)
            }
            // Also what a stronger source hides: it would come into effect, wrong, on the day that the other is removed.
            for entry in entries where definition.kind.parse(entry.items) == nil {
                problems.append(
                    SettingsError.wrong(
                        entry.origin, value: entry.items.joined(separator: ","), secret: definition.isSecret,
                        allowed: definition.kind.allowed,
                        hint: definition.isSecret ? "" : definition.kind.hint(for: entry.items)))
            }
        }
    }

    /// See ``Settings/fingerprints``.
    var fingerprints: [String: Int] { values.mapValues(\.hashValue) }

    // The accessors below ask for keys of the table by their kind there. Asking otherwise is a slip in this program that
    // the first start of any command shows; no input leads there, because input that was not understood is a problem above
    // and ends the start.

    func text(_ key: String) -> String? {
        guard case .text(let value) = values[key], !value.isEmpty else { return nil }
        return value
    }

    func secret(_ key: String) -> Secret? { text(key).map { Secret($0) } }

    func int(_ key: String) -> Int {
        guard case .int(let value) = values[key] else { return slip(key) }
        return value
    }

    func bool(_ key: String) -> Bool {
        guard case .bool(let value) = values[key] else { return slip(key) }
        return value
    }

    func seconds(_ key: String) -> Duration {
        guard case .seconds(let value) = values[key] else { return slip(key) }
        return .seconds(value)
    }

    func level(_ key: String) -> Logger.Level {
        guard case .level(let value) = values[key] else { return slip(key) }
        return value
    }

    func logFormat(_ key: String) -> LogFormat {
        guard case .logFormat(let value) = values[key] else { return slip(key) }
        return value
    }

    func time(_ key: String) -> TimeOfDay {
        guard case .time(let value) = values[key] else { return slip(key) }
        return value
    }

    func list(_ key: String) -> [String] {
        guard case .list(let value) = values[key] else { return slip(key) }
        return value
    }

    func map(_ key: String) -> [String: String] {
        guard case .map(let value) = values[key] else { return slip(key) }
        return value
    }

    func port(_ key: String) -> Settings.Port {
        Settings.Port(number: int(key), isExplicit: origins[key] != nil, source: origins[key] ?? "default")
    }

    private func slip<Value>(_ key: String) -> Value {
        preconditionFailure("the setting \(key) is not in the table as what it is read as")
    }
}
