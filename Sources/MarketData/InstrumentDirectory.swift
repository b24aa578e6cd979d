/// One row of a broker's instrument master: OpenAlgo's names of an instrument beside the broker's own.
public struct Listing: Sendable, Hashable {
    /// OpenAlgo's exchange and symbol.
    public var instrument: Instrument
    /// The broker's symbol.
    public var brokerSymbol: String
    /// The broker's name of the segment; together with the token it is unique.
    public var brokerExchange: String
    /// The broker's token. Those of derivatives are given to other contracts after expiry.
    public var brokerToken: String
    /// Of the company or the underlying; may be empty.
    public var name: String
    /// `EQ`, `FUT`, `CE`, `PE`, `INDEX`, or the broker's own word.
    public var type: String
    /// Decimal exponent of ``tickSize`` and ``strike``, -18 to 0.
    public var priceExponent: Int8
    /// Smallest price step, mantissa; 0 = unknown.
    public var tickSize: Int64
    /// Strike price of an option, mantissa; 0 = none.
    public var strike: Int64
    /// Units a lot; 0 = unknown.
    public var lotSize: Int64
    /// Last day of trading as yyyymmdd, e.g. 20241128; 0 = none.
    public var expiry: UInt32

    public init(
        instrument: Instrument, brokerSymbol: String, brokerExchange: String, brokerToken: String, name: String = "",
        type: String = "", priceExponent: Int8 = 0, tickSize: Int64 = 0, strike: Int64 = 0, lotSize: Int64 = 0,
        expiry: UInt32 = 0
    ) {
        self.instrument = instrument
        self.brokerSymbol = brokerSymbol
        self.brokerExchange = brokerExchange
        self.brokerToken = brokerToken
        self.name = name
        self.type = type
        self.priceExponent = priceExponent
        self.tickSize = tickSize
        self.strike = strike
        self.lotSize = lotSize
        self.expiry = expiry
    }
}

/// Where sessions look instruments up: the masters of all brokers as they are now. Any thread; never blocks on I/O.
///
/// Answers may change from one call to the next: a master is replaced while the host runs, mostly once a day.
public protocol InstrumentDirectory: Sendable {
    /// The number of rows; nil when no master of that broker is loaded, and nothing can be looked up.
    func count(broker: String) -> Int?
    /// The row of an instrument by OpenAlgo's names, case-sensitive.
    func listing(of instrument: Instrument, broker: String) -> Listing?
    /// OpenAlgo's names for what the broker calls by a token.
    func instrument(broker: String, brokerExchange: String, brokerToken: String) -> Instrument?
    /// OpenAlgo's names for what the broker calls by a symbol of its own.
    func instrument(broker: String, brokerExchange: String, brokerSymbol: String) -> Instrument?
    /// Symbols that resemble a wrong one, best first, for "did you mean".
    func nearMatches(_ instrument: Instrument, broker: String, limit: Int) -> [Instrument]
}

/// The directory of a host without instrument masters.
public struct NoInstruments: InstrumentDirectory {
    public init() {}
    public func count(broker: String) -> Int? { nil }
    public func listing(of instrument: Instrument, broker: String) -> Listing? { nil }
    public func instrument(broker: String, brokerExchange: String, brokerToken: String) -> Instrument? { nil }
    public func instrument(broker: String, brokerExchange: String, brokerSymbol: String) -> Instrument? { nil }
    public func nearMatches(_ instrument: Instrument, broker: String, limit: Int) -> [Instrument] { [] }
}
