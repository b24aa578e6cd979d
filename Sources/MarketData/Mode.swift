import CFeedhostABI

/// How much of an instrument a client wants. Each mode holds the fields of the modes before it.
///
/// The raw value is the integer of the client protocol; the ABI has its own bit for each (``abi``).
public enum Mode: UInt8, Sendable, Hashable, CaseIterable, Comparable {
    case ltp = 1
    case quote = 2
    case depth = 3

    public static func < (a: Mode, b: Mode) -> Bool { a.rawValue < b.rawValue }

    /// The spelling of acknowledgements: `LTP`, `Quote`, `Depth`.
    public var label: String {
        switch self {
        case .ltp: "LTP"
        case .quote: "Quote"
        case .depth: "Depth"
        }
    }

    /// The last segment of a topic: `LTP`, `QUOTE`, `DEPTH`.
    public var topicSegment: String { label.uppercased() }

    /// The bit of this mode in the adapter ABI (`FH_MODE_*`).
    public var abi: UInt16 { 1 << (UInt16(rawValue) - 1) }

    /// The highest mode whose bit is set, or nil.
    public init?(highestOf bits: UInt32) {
        guard let mode = Mode.allCases.last(where: { bits & UInt32($0.abi) != 0 }) else { return nil }
        self = mode
    }

    /// Any case, surrounded by white space or not; nil for anything else.
    public init?(label: some StringProtocol) {
        let name = label.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
        guard let mode = Mode.allCases.first(where: { $0.label.lowercased() == name }) else { return nil }
        self = mode
    }
}
