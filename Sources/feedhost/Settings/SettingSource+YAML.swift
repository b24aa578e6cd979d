import MarketData
import Secrets
import Yams

extension SettingSource {
    /// - Parameter name: of the file, as the user would write it.
    static func yaml(_ text: String, name: String) -> SettingSource {
        var source = SettingSource()
        do {
            guard let root = try Yams.compose(yaml: text), !isNothing(root) else { return source }
            guard let mapping = root.mapping else {
                source.problems.append(
                    "\(name) does not hold settings; allowed: KEY: VALUE lines, as in `proxy:` and `port: 8765`")
                return source
            }
            source.walk(mapping, path: [], name: name)
        } catch {
            source.problems.append("\(name) is not YAML: \(reason(error))")
        }
        return source
    }

    private mutating func walk(_ mapping: Node.Mapping, path: [String], name: String) {
        for (keyNode, value) in mapping {
            guard let key = keyNode.string, !key.isEmpty else {
                problems.append("\(Self.place(name, keyNode)): a key must be a text")
                continue
            }
            let here = path + [key]
            let dotted = here.joined(separator: ".")
            let origin = "\(Self.place(name, keyNode)): \(dotted)"
            if dotted == "adapters" || here.first == "adapters" {
                walkAdapters(value, path: Array(here.dropFirst()), origin: origin, name: name)
            } else if let definition = SettingTable.byKey[dotted] {
                take(definition, value, origin)
            } else if SettingTable.all.contains(where: { $0.key.hasPrefix(dotted + ".") }) {
                section(value, path: here, origin: origin, name: name)
            } else {
                let candidates = Self.siblings(of: path) + (path.isEmpty ? SettingTable.all.map(\.key) : [])
                problems.append("\(origin) is not a setting.\(NearMatch.hint(for: key, among: candidates))")
            }
        }
    }

    private mutating func section(_ value: Node, path: [String], origin: String, name: String) {
        if let mapping = value.mapping {
            walk(mapping, path: path, name: name)
        } else if !Self.isNothing(value) {
            problems.append("\(origin) is a section; allowed in it: \(Self.siblings(of: path).joined(separator: ", "))")
        }
    }

    private mutating func take(_ definition: SettingDefinition, _ value: Node, _ origin: String) {
        if let text = Self.text(value) {
            layer.set(definition, [text], origin: origin)
        } else if definition.kind.separator != nil, let items = value.sequence.map({ $0.map(Self.text) }),
            !items.contains(nil)
        {
            layer.set(definition, items.compactMap { $0 }, origin: origin)
        } else if definition.kind == .brokerMap, let pairs = value.mapping.map(Self.pairs), !pairs.contains(nil) {
            layer.set(definition, pairs.compactMap { $0 }, origin: origin)
        } else {
            problems.append(
                "\(origin) has a list or a section where one value is wanted; allowed: \(definition.kind.allowed)")
        }
    }

    /// `adapters: {BROKER: {KEY: VALUE}}`.
    private mutating func walkAdapters(_ value: Node, path: [String], origin: String, name: String) {
        if path.count < 2, let mapping = value.mapping {
            for (keyNode, child) in mapping {
                let key = keyNode.string ?? ""
                let origin = "\(Self.place(name, keyNode)): \((["adapters"] + path + [key]).joined(separator: "."))"
                walkAdapters(child, path: path + [key], origin: origin, name: name)
            }
        } else if path.count == 2, let text = Self.text(value) {
            adapters.append(.init(target: .named(broker: path[0], key: path[1]), value: Secret(text), source: origin))
        } else if path.count == 2 || !Self.isNothing(value) {
            problems.append("\(origin) is not understood; allowed: adapters: {BROKER: {KEY: VALUE}}")
        }
    }

    private static func siblings(of path: [String]) -> [String] {
        let names = SettingTable.all.map { $0.key.split(separator: ".").map(String.init) }
            .filter { $0.count > path.count && Array($0.prefix(path.count)) == path }.map { $0[path.count] }
        return Set(names + (path.isEmpty ? ["adapters"] : [])).sorted()
    }

    private static func pairs(_ mapping: Node.Mapping) -> [String?] {
        mapping.map { key, value in
            guard let key = key.string, let value = text(value) else { return nil }
            return "\(key)=\(value)"
        }
    }

    /// The text of a scalar as it is written, so that `level: off` and `host: 1.0` are not turned into something else.
    private static func text(_ node: Node) -> String? { isNothing(node) ? "" : node.scalar?.string }

    private static func isNothing(_ node: Node) -> Bool { node.null != nil }

    private static func place(_ name: String, _ node: Node) -> String {
        node.mark.map { "\(name) line \($0.line)" } ?? name
    }

    /// One line; Yams shows the passage, which may hold a secret.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            "line \(mark.line): \(problem)"
        case YamlError.duplicatedKeysInMapping(let duplicates, let context):
            "line \(context.mark.line): twice the same key: \(duplicates.joined(separator: ", "))"
        case YamlError.reader(let problem, _, _, _): problem
        default: "it cannot be read"
        }
    }
}
