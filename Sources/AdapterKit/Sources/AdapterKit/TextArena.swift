import CFeedhostABI

/// Texts that are lent to C together: one buffer has to stay in place for the call, and not one for each.
struct TextArena {
    private var bytes: [UInt8] = []

    mutating func add(_ text: String) -> Range<Int> {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        return start..<bytes.count
    }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// The texts at `places`, for as long as `body` runs.
    func withTexts<Result>(_ places: [Range<Int>], _ body: ([fh_str]) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { buffer in
            body(places.map { fh_str(UnsafeBufferPointer(rebasing: buffer[$0])) })
        }
    }
}
