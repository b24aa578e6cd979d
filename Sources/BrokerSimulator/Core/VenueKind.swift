/// A broker that can be simulated.
///
/// A venue registers itself by an extension in its own folder (`static let acme = VenueKind("acme") { … }`) and a place
/// in ``all``.
public struct VenueKind: Sendable {
    /// As on the command line.
    public let name: String
    let make: @Sendable (Simulation) -> any Venue

    init(_ name: String, make: @escaping @Sendable (Simulation) -> any Venue) {
        self.name = name
        self.make = make
    }

    /// Every broker there is.
    public static let all: [VenueKind] = [.zerodha, .angel, .flattrade, .flattradeOld, .shoonya, .zebu, .tradesmart]

    /// The broker of this name.
    public static func named(_ name: String) -> VenueKind? { all.first { $0.name == name } }
}
