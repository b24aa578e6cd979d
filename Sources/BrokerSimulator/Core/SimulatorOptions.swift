import Logging

/// How a simulator is set up.
public struct SimulatorOptions: Sendable {
    public var venue: VenueKind
    /// Nothing here is protected, so nobody but this machine should reach it.
    public var host = "127.0.0.1"
    /// 0 lets the system choose.
    public var port = 0
    /// The same seed gives the same market.
    public var seed: UInt64 = 1
    /// Ticks a second on each connection, taken from its subscriptions in turn; 0 sends none but those of faults.
    public var rate = 100.0
    /// Synthetic cash symbols (`SIM00001`, …) beside the usual instruments.
    public var syntheticInstruments = 0
    public var credentials = SimulatorCredentials()
    public var script: Script?
    /// A file that every frame sent is written to.
    public var record: String?
    /// ns since the Unix epoch; nil is the time of day. Expiries lie after it.
    public var clock: (@Sendable () -> UInt64)?
    /// At most so many connections of one user and kind; nil is what the broker allows.
    public var connectionLimit: Int?
    /// Instruments, or what the broker counts, of one connection; nil is what the broker allows.
    public var instrumentLimit: Int?
    public var logger = Logger(label: "feedhost.simulate")

    public init(venue: VenueKind) { self.venue = venue }
}
