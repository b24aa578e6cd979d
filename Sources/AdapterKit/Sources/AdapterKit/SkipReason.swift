/// Why a row of an instrument master is left out. People read it, and rows are counted by it: use few, and the same words
/// for the same reason.
///
/// ```swift
/// guard let expiry = CalendarDay(lines[columns.expiry]) else { rows.skip(.expiry, at: lines); continue }
/// ```
public struct SkipReason: Error, Hashable, Sendable, CustomStringConvertible {
    /// A few words, e.g. `expiry not understood`.
    public let description: String
    /// Whether the row could not be understood, which speaks against the file when there are many; `false` for one that
    /// is as it should be, and that clients have no name for.
    public let isFault: Bool

    /// A reason of your own.
    public init(_ description: String, isFault: Bool = true) {
        self.description = description
        self.isFault = isFault
    }

    /// Nothing more is known.
    public static let noSense = SkipReason("makes no sense")
    /// The row does not say what the broker calls the instrument on the wire, or says it in a way that is none.
    public static let token = SkipReason("no token")
    /// The row has no symbol.
    public static let symbol = SkipReason("no symbol")
    /// A derivative without the name of what it is derived from.
    public static let underlying = SkipReason("no name of the underlying")
    /// A derivative whose day of expiry is missing or is no day.
    public static let expiry = SkipReason("expiry not understood")
    /// An option whose strike price is missing or is no number.
    public static let strike = SkipReason("strike not understood")
    /// Lot or tick size are no numbers.
    public static let size = SkipReason("lot or tick size not understood")
    /// A derivative that is neither a future nor a call nor a put.
    public static let kind = SkipReason("kind of derivative not understood")
    /// The line has more fields than the header, so that nobody knows which is which.
    public static let fields = SkipReason("more fields than the header")
    /// A quote that is never closed.
    public static let quote = SkipReason("a quote is never closed")
    /// The file ends in the middle of the row.
    public static let cut = SkipReason("cut short")
    /// An exchange or a segment that clients have no name for.
    public static let exchange = SkipReason("exchange without an OpenAlgo name", isFault: false)
    /// An instrument that clients have no name for, e.g. the spot of a currency.
    public static let unnamed = SkipReason("kind of instrument without an OpenAlgo name", isFault: false)
}
