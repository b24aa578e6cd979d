import MarketData
import Secrets

/// What the configuration says to adapters. Whether it is right shows when they are loaded and have declared their keys.
struct AdapterSettings: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        enum Target: Sendable, Hashable {
            case named(broker: String, key: String)
            /// Lowercase remainder of `FEEDHOST_BROKER_KEY`: where the broker ends shows when brokers are known.
            case variable(rest: String)
        }
        let target: Target
        /// Which of them are secret, their adapters say.
        let value: Secret
        /// For messages: `--set binance.endpoint`.
        let source: String
    }

    struct Value: Sendable, Hashable {
        let value: Secret
        let source: String
    }

    /// From the weakest source to the strongest.
    let entries: [Entry]

    /// See ``Settings/fingerprints``: the strongest of each, by `broker.key` or by the variable's name.
    var fingerprints: [String: Int] {
        entries.reduce(into: [:]) { found, entry in
            let name =
                switch entry.target {
                case .named(let broker, let key): "\(broker).\(key)"
                case .variable(let rest): "FEEDHOST_\(rest.uppercased())"
                }
            found[name] = entry.value.hashValue
        }
    }

    /// Settings of one broker, unchecked. For brokers of which one's name begins another's (`five`, `five_x`), and for
    /// checking, see ``resolve(declared:)``.
    func settings(broker: String) -> [String: Value] {
        var found: [String: Value] = [:]
        for entry in entries {
            switch entry.target {
            case .named(broker, let key): found[key] = Value(value: entry.value, source: entry.source)
            case .variable(let rest) where rest.hasPrefix(broker + "_"):
                found[String(rest.dropFirst(broker.count + 1))] = Value(value: entry.value, source: entry.source)
            default: break
            }
        }
        return found
    }
}

/// A setting that an adapter has declared (`fh_config_key`).
struct DeclaredKey: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case text
        case int
        case bool
        case duration
        case secret
        case url
    }
    let name: String
    let kind: Kind

    init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }

    var allowed: String {
        switch kind {
        case .text, .secret: "any text"
        case .int: "a whole number"
        case .bool: "true or false"
        case .duration: "a number, or one with a unit: 500ms, 15s, 2m, 1h"
        case .url: "a URL such as wss://example.com"
        }
    }

    func allows(_ value: String) -> Bool {
        switch kind {
        case .text, .secret: true
        case .int: Int64(value) != nil
        case .bool: SettingKind.bool(value) != nil
        case .duration: Self.isDuration(value)
        case .url: SettingKind.isURL(value)
        }
    }

    private static func isDuration(_ value: String) -> Bool {
        let unit = ["ms", "s", "m", "h"].first { value.hasSuffix($0) } ?? ""
        return SettingKind.decimal(String(value.dropLast(unit.count))) != nil
    }
}
