/// A broker that can be simulated.
///
/// A venue registers itself by an extension in its own folder (`static let acme = VenueKind("acme") { … }`) and a place
/// in ``all``.
public struct VenueKind: Sendable {
    /// As on the command line.
    public let name: String
    /// What ``setting(_:)`` knows, with the values that each takes: `generation=new|old`.
    public let settings: [String]
    let make: @Sendable (Simulation) -> any Venue
    private let change: @Sendable ([String]) throws(SimulatorError) -> VenueKind

    /// A broker with nothing to set.
    init(_ name: String, make: @escaping @Sendable (Simulation) -> any Venue) {
        self.init(name, options: (), settings: []) { simulation, _ in make(simulation) }
    }

    /// - Parameters:
    ///   - options: What the broker is like when nothing is set.
    ///   - settings: What can be set from outside.
    init<Options: Sendable>(
        _ name: String, options: Options, settings: [VenueSetting<Options>],
        make: @escaping @Sendable (Simulation, Options) -> any Venue
    ) {
        self.name = name
        self.settings = settings.map { "\($0.name)=\($0.values)" }
        self.make = { make($0, options) }
        change = { pairs throws(SimulatorError) in
            var changed = options
            for pair in pairs { try Self.apply(pair, of: settings, to: &changed, broker: name) }
            return VenueKind(name, options: changed, settings: settings, make: make)
        }
    }

    /// The broker with other habits.
    /// - Parameter pairs: `NAME=VALUE`, of those in ``settings``; of two with one name the last counts.
    /// - Throws: ``SimulatorError`` for a name that is none and for a value that it does not take; it says what there is.
    public func setting(_ pairs: [String]) throws(SimulatorError) -> VenueKind { try change(pairs) }

    private static func apply<Options>(
        _ pair: String, of settings: [VenueSetting<Options>], to options: inout Options, broker: String
    ) throws(SimulatorError) {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            throw SimulatorError("The option \(pair) has no value: write NAME=VALUE, such as cooldown-ms=5000.")
        }
        guard let setting = settings.first(where: { $0.name == parts[0] }) else {
            let known = settings.map { "\($0.name)=\($0.values)" }.joined(separator: ", ")
            throw SimulatorError(
                "The broker \(broker) has no option \(parts[0]). "
                    + (known.isEmpty ? "It has none." : "There are: \(known)."))
        }
        guard setting.set(parts[1], &options) else {
            throw SimulatorError("The option \(setting.name) cannot be \"\(parts[1])\": it takes \(setting.values).")
        }
    }

    /// Every broker there is.
    public static let all: [VenueKind] = [.zerodha, .angel, .flattrade, .shoonya, .zebu, .tradesmart]

    /// The broker of this name.
    public static func named(_ name: String) -> VenueKind? { all.first { $0.name == name } }
}
