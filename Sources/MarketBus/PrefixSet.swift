/// Prefixes, counted, and whether one of them is a prefix of a text: one look-up for each length that occurs, however many
/// prefixes there are.
struct PrefixSet {
    private var counts: [[UInt8]: Int] = [:]
    /// How many prefixes of a length there are, by length.
    private var lengths: [Int: Int] = [:]
    /// Lengths that occur, the shortest first.
    private var occurring: [Int] = []
    var isEmpty: Bool { counts.isEmpty }
    var count: Int { counts.count }

    mutating func insert(_ prefix: [UInt8]) {
        counts[prefix, default: 0] += 1
        guard counts[prefix] == 1 else { return }
        lengths[prefix.count, default: 0] += 1
        if lengths[prefix.count] == 1 { occurring = lengths.keys.sorted() }
    }

    mutating func remove(_ prefix: [UInt8]) {
        guard let count = counts[prefix] else { return }
        counts[prefix] = count > 1 ? count - 1 : nil
        guard count == 1, let same = lengths[prefix.count] else { return }
        lengths[prefix.count] = same > 1 ? same - 1 : nil
        if same == 1 { occurring = lengths.keys.sorted() }
    }

    func containsPrefix(of text: [UInt8]) -> Bool {
        for length in occurring {
            guard length <= text.count else { return false }
            if counts[Array(text[..<length])] != nil { return true }
        }
        return false
    }
}
