/// What the simulator knows of a symbol before it trades.
struct Listing: Hashable {
    enum Kind: Hashable {
        case share
        case index
        case future
        case option
    }

    var kind: Kind
    /// Yesterday's close, in paise, a multiple of the tick size.
    var close: Int64
    /// Quantities are multiples of this.
    var lot: Int64

    /// The smallest price step: 0.05.
    static let tickSize: Int64 = 5

    init(_ kind: Kind, close: Int64, lot: Int64 = 1) {
        self.kind = kind
        self.close = max(Self.tickSize, close / Self.tickSize * Self.tickSize)
        self.lot = max(1, lot)
    }

    var isDerivative: Bool { kind == .future || kind == .option }

    /// How far apart prices lie in practice: the tick size, but for high prices about 2 parts in 100,000.
    var pitch: Int64 { max(1, close / 50_000 / Self.tickSize) * Self.tickSize }

    /// Yesterday's exchange limits: a tenth to either side; an option may go from nothing to three times its price.
    var limits: (lower: Int64, upper: Int64) {
        let (low, high) = kind == .option ? (Self.tickSize, close * 3) : (close * 9 / 10, close * 11 / 10)
        let step = Self.tickSize
        let lower = max(step, (low + step - 1) / step * step)
        return (lower, max(high / step * step, close + 40 * pitch))
    }
}
