import CFeedhostABI

/// How much of an instrument is wanted. Each mode holds the fields of the modes before it.
public struct Mode: RawRepresentable, Hashable, Comparable, Sendable {
    /// The number as it crosses the C interface.
    public var rawValue: UInt16

    /// Wraps the number `rawValue`.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The last traded price.
    @inlinable
    public static var lastPrice: Mode { Mode(rawValue: UInt16(FH_MODE_LTP)) }
    /// The day's figures and the best bid and ask.
    @inlinable
    public static var quote: Mode { Mode(rawValue: UInt16(FH_MODE_QUOTE)) }
    /// The order book.
    @inlinable
    public static var depth: Mode { Mode(rawValue: UInt16(FH_MODE_DEPTH)) }

    /// Orders modes by how much they carry.
    @inlinable
    public static func < (a: Mode, b: Mode) -> Bool { a.rawValue < b.rawValue }
}

/// A set of modes, and order updates, that a link can carry.
public struct Cargo: OptionSet, Hashable, Sendable {
    /// The bits as they cross the C interface.
    public var rawValue: UInt32

    /// Wraps the bits `rawValue`.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// ``Mode/lastPrice``.
    public static let lastPrice = Cargo(rawValue: UInt32(FH_MODE_LTP))
    /// ``Mode/quote``.
    public static let quote = Cargo(rawValue: UInt32(FH_MODE_QUOTE))
    /// ``Mode/depth``.
    public static let depth = Cargo(rawValue: UInt32(FH_MODE_DEPTH))
    /// Updates of the user's orders.
    public static let orders = Cargo(rawValue: UInt32(FH_CARRIES_ORDERS))
    /// All three modes of market data.
    public static let marketData: Cargo = [.lastPrice, .quote, .depth]
}
