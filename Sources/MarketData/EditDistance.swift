/// How many slips of the keyboard lie between two words: insertions, deletions, replacements, swaps of neighbours.
public enum EditDistance {
    /// The number of slips; nil when there are more than `limit`. Words longer than 100 bytes are never near.
    public static func between(
        _ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>, atMost limit: Int
    ) -> Int? {
        guard abs(a.count - b.count) <= limit, a.count <= 100, b.count <= 100 else { return nil }
        // What both begin and end with makes no difference, and neighbours in a sorted list begin alike.
        var start = 0
        var ends = (a.count, b.count)
        while start < ends.0, start < ends.1, a[start] == b[start] { start += 1 }
        while ends.0 > start, ends.1 > start, a[ends.0 - 1] == b[ends.1 - 1] { ends = (ends.0 - 1, ends.1 - 1) }
        let rest = (start..<ends.0, start..<ends.1)
        if rest.0.isEmpty || rest.1.isEmpty { return max(rest.0.count, rest.1.count) }
        return between(
            UnsafeBufferPointer(rebasing: a[rest.0]), rest: UnsafeBufferPointer(rebasing: b[rest.1]), atMost: limit)
    }

    /// The same for texts.
    public static func between(_ a: String, _ b: String, atMost limit: Int) -> Int? {
        let a = Array(a.utf8), b = Array(b.utf8)
        return a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { between(a, $0, atMost: limit) } }
    }

    /// Both hold something.
    private static func between(
        _ a: UnsafeBufferPointer<UInt8>, rest b: UnsafeBufferPointer<UInt8>, atMost limit: Int
    ) -> Int? {
        let width = b.count + 1
        return withUnsafeTemporaryAllocation(of: Int.self, capacity: width * 3) { rows in
            for j in 0..<width {
                rows[j] = 0
                rows[width + j] = j
            }
            // Where the rows of two letters before, one before and now begin; they take turns.
            var (beforeLast, last, row) = (0, width, 2 * width)
            for i in 1...a.count {
                rows[row] = i
                var least = i
                for j in 1...b.count {
                    var best = min(
                        rows[last + j] + 1, rows[row + j - 1] + 1, rows[last + j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                    if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                        best = min(best, rows[beforeLast + j - 2] + 1)
                    }
                    rows[row + j] = best
                    least = min(least, best)
                }
                // It can only grow from here, but for a swap that began one row before.
                if least > limit + 1 { return nil }
                (beforeLast, last, row) = (last, row, beforeLast)
            }
            let distance = rows[last + b.count]
            return distance <= limit ? distance : nil
        }
    }

    /// The candidate that is few slips away from `word`, if there is one. Capitals do not count.
    public static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let limit = max(1, min(3, word.count / 3))
        return candidates.sorted().compactMap { name -> (String, Int)? in
            between(word.lowercased(), name.lowercased(), atMost: limit).map { (name, $0) }
        }.min { $0.1 < $1.1 }?.0
    }
}
