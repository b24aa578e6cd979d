import CFeedhostABI

/// One kind of broker connection. One adapter object is one connection of one kind.
///
/// ```swift
/// var market = Link("market", carries: .marketData)
/// market.unit = .instrument
/// market.quota = 3_000
/// market.maximumLinks = 3
/// ```
public struct Link: Hashable, Sendable {
    /// What the quota counts.
    public struct Unit: Hashable, Sendable {
        let rawValue: UInt32
        /// There is no quota.
        public static let none = Unit(rawValue: UInt32(FH_UNIT_NONE))
        /// Instruments, whatever their mode.
        public static let instrument = Unit(rawValue: UInt32(FH_UNIT_INSTRUMENT))
        /// Pairs of instrument and mode.
        public static let instrumentMode = Unit(rawValue: UInt32(FH_UNIT_INSTRUMENT_MODE))
    }

    /// `market`, `depth` or `orders`.
    public var name: String
    /// What flows through it.
    public var carries: Cargo
    /// What ``quota`` counts.
    public var unit: Unit = .none
    /// Units a connection; 0 = no limit.
    public var quota = 0
    /// Instruments with more than 5 levels a connection; 0 = no limit of its own.
    public var deepQuota = 0
    /// Connections of this kind a user; 0 = one.
    public var maximumLinks = 0
    /// Depth levels; 0 = as the exchange allows.
    public var maximumDepth = 0
    /// Instruments a `subscribe` call; 0 = no limit.
    public var batch = 0
    /// `subscribe` calls a second; 0 = no limit.
    public var callsPerSecond = 0

    /// A kind of connection without limits.
    public init(_ name: String, carries: Cargo) {
        self.name = name
        self.carries = carries
    }
}
