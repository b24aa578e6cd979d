import ArgumentParser
import MarketData

/// What a key allows, as options. Those that are not given change nothing.
struct PermissionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Brokers, as in zerodha,angel; all lifts the restriction.", valueName: "list"))
    var brokers: String?
    @Option(help: ArgumentHelp("Exchanges, as in NSE,NFO; all lifts the restriction.", valueName: "list"))
    var exchanges: String?
    @Option(
        help: ArgumentHelp(
            "Symbols, as in 'NIFTY*,RELIANCE': * stands for any characters, ? for one; all lifts the restriction.",
            valueName: "list"))
    var symbols: String?
    @Option(help: ArgumentHelp("Modes: ltp, quote, depth; all lifts the restriction.", valueName: "list"))
    var modes: String?
    @Flag(inversion: .prefixedNo, help: "Order updates of the user.")
    var orders: Bool?
    @Option(help: ArgumentHelp("Instruments that a client may hold at a time, or unlimited.", valueName: "number"))
    var maxInstruments: String?

    private struct Wrong: Error, CustomStringConvertible { let description: String }

    var isEmpty: Bool {
        [brokers, exchanges, symbols, modes, maxInstruments].allSatisfy { $0 == nil } && orders == nil
    }

    func apply(to permissions: inout Permissions) throws {
        if let brokers { permissions.brokers = Self.list(brokers).map(Set.init) }
        if let exchanges { permissions.exchanges = Self.list(exchanges).map(Set.init) }
        if let symbols { permissions.symbols = Self.list(symbols) }
        if let modes { permissions.modes = try Self.list(modes).map(Self.modes) ?? Set(Mode.allCases) }
        if let orders { permissions.orders = orders }
        if let maxInstruments { permissions.maxInstruments = try Self.count(maxInstruments) }
    }

    /// What was probably not meant: such a key would allow nothing there.
    var note: String {
        guard let exchanges, let names = Self.list(exchanges) else { return "" }
        return names.filter { !Exchanges.known.contains($0) }.map {
            "\n\($0) is not an exchange that comes with feedhost; if no adapter has it, it allows nothing."
                + NearMatch.hint(for: $0, among: Exchanges.known)
        }.joined()
    }

    /// Nil for all.
    private static func list(_ text: String) -> [String]? {
        let items = text.split(separator: ",", omittingEmptySubsequences: false).map { item in
            String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        return items == ["all"] ? nil : items
    }

    private static func modes(_ names: [String]) throws -> Set<Mode> {
        let known = Mode.allCases.map { $0.label.lowercased() }
        return Set(
            try names.map { name in
                if let mode = Mode(label: name) { return mode }
                throw Wrong(
                    description:
                        "There is no mode \(name.prefix(40).debugDescription).\(NearMatch.hint(for: name, among: known)) Modes are \(known.joined(separator: ", "))."
                )
            })
    }

    private static func count(_ text: String) throws -> Int? {
        if text == "unlimited" { return nil }
        guard let count = Int(text) else {
            throw Wrong(
                description:
                    "--max-instruments \(text.prefix(40).debugDescription) is neither a number nor unlimited.")
        }
        return count
    }
}

extension Permissions {
    /// For people: what is restricted.
    var summary: String {
        var parts: [String] = []
        if let brokers { parts.append("brokers " + brokers.sorted().joined(separator: ",")) }
        if let exchanges { parts.append("exchanges " + exchanges.sorted().joined(separator: ",")) }
        if let symbols { parts.append("symbols " + symbols.joined(separator: ",")) }
        if modes != Permissions.everything.modes {
            parts.append("modes " + modes.sorted().map { $0.label.lowercased() }.joined(separator: ","))
        }
        if !orders { parts.append("no orders") }
        if let maxInstruments { parts.append("\(maxInstruments) instruments") }
        return parts.isEmpty ? "everything" : parts.joined(separator: "; ")
    }
}
