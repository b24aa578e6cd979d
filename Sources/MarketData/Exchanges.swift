/// Exchange codes that topics may begin with. An exchange may span two segments (`NSE_INDEX`), so a topic can only be
/// read with the codes at hand.
public struct Exchanges: Sendable {
    /// OpenAlgo's codes, and those of the bundled adapters.
    public static let known: Set<String> = [
        "NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX", "NCDEX", "NCO", "BCO", "CRYPTO",
        "NSE_INDEX", "BSE_INDEX", "MCX_INDEX", "GLOBAL_INDEX", "NSEIX_INDEX", "CDS_INDEX",
    ]

    private var codes: Set<String>

    public init(_ codes: Set<String> = Exchanges.known) { self.codes = codes }

    public mutating func insert(_ code: String) { codes.insert(code) }

    public func contains(_ code: some StringProtocol) -> Bool { codes.contains(String(code)) }

    /// The longest exchange that the segments begin with, as a number of segments; 0 if there is none.
    func leading(_ segments: ArraySlice<Substring>) -> Int {
        for length in stride(from: min(3, segments.count - 1), through: 1, by: -1)
        where contains(segments.prefix(length).joined(separator: "_")) {
            return length
        }
        return 0
    }
}
