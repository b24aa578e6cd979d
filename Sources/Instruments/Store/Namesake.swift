import MarketData

/// An instrument that is called like another one of the same exchange, and goes by a name of its own.
public struct Namesake: Sendable, Hashable {
    public let broker: String
    /// How it is reached, e.g. `NSE:ELECTCAST-BE`.
    public let instrument: Instrument
    /// The broker's token of it.
    public let brokerToken: String
    /// The symbol that both would have, e.g. `ELECTCAST`.
    public let wanted: String
    /// The broker's symbol of the one that has it, e.g. `ELECTCAST-EQ`.
    public let winner: String
    /// The broker's token of that one.
    public let winnerToken: String
}
