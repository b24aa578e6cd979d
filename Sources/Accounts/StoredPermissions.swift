import Foundation
import MarketData

/// Permissions as the store keeps them: JSON with what is restricted, and only that.
enum StoredPermissions {
    private struct Form: Codable {
        var brokers: [String]?
        var exchanges: [String]?
        var symbols: [String]?
        var modes: [String]?
        var orders: Bool?
        var maxInstruments: Int?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case brokers, exchanges, symbols, modes, orders
            case maxInstruments = "max_instruments"
        }
    }

    /// Nil for a key that may do everything.
    static func text(_ permissions: Permissions) throws -> String? {
        guard permissions != .everything else { return nil }
        let form = Form(
            brokers: permissions.brokers?.sorted(), exchanges: permissions.exchanges?.sorted(),
            symbols: permissions.symbols,
            modes: permissions.modes == Permissions.everything.modes
                ? nil : permissions.modes.sorted().map { $0.label.lowercased() },
            orders: permissions.orders ? nil : false, maxInstruments: permissions.maxInstruments)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(form), as: UTF8.self)
    }

    /// Nil for what is not understood in full: a restriction that this program does not know must not be lifted by that.
    static func read(_ text: String?) -> Permissions? {
        guard let text else { return .everything }
        let bytes = Data(text.utf8)
        guard let object = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any],
            Set(object.keys).isSubset(of: Form.CodingKeys.allCases.map(\.rawValue)),
            !object.values.contains(where: { $0 is NSNull }),
            let form = try? JSONDecoder().decode(Form.self, from: bytes)
        else { return nil }
        var permissions = Permissions(
            brokers: form.brokers.map(Set.init), exchanges: form.exchanges.map(Set.init), symbols: form.symbols,
            orders: form.orders ?? true, maxInstruments: form.maxInstruments)
        if let names = form.modes {
            let modes = names.compactMap { Mode(label: $0) }
            guard modes.count == names.count else { return nil }
            permissions.modes = Set(modes)
        }
        return permissions
    }
}
