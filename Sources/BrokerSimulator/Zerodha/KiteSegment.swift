/// How Kite numbers a segment and scales its prices (Kite Connect WebSocket docs, and its official Python client for
/// NCO).
struct KiteSegment {
    /// The low byte of an instrument token.
    let code: UInt32
    /// What prices on the wire are multiplied by.
    let divisor: Int64
    /// The master's column `segment`, for cash.
    let name: String

    /// Nil for what Kite does not carry.
    init?(_ segment: Segment) {
        switch segment {
        case .nse: (code, divisor, name) = (1, 100, "NSE")
        case .nfo: (code, divisor, name) = (2, 100, "NFO")
        case .cds: (code, divisor, name) = (3, 10_000_000, "CDS")
        case .bse: (code, divisor, name) = (4, 100, "BSE")
        case .bfo: (code, divisor, name) = (5, 100, "BFO")
        case .bcd: (code, divisor, name) = (6, 10_000, "BCD")
        case .mcx: (code, divisor, name) = (7, 100, "MCX")
        case .nseIndex, .bseIndex, .mcxIndex, .globalIndex: (code, divisor, name) = (9, 100, "INDICES")
        case .nco: (code, divisor, name) = (12, 10_000, "NCO")
        case .ncdex: return nil
        }
    }
}
